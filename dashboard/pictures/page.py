"""A printed page in millimetres: head with title and finding, body, foot with where the numbers come from."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Rectangle

from dashboard.pictures.lettering import MM_PER_POINT, font, lines, shortened, width_mm
from dashboard.pictures.palette import LIGHT

A4_LANDSCAPE = (297.0, 210.0)
CHART = (220.0, 124.0)  # two to an A4 page, or one to a slide
MARGIN = 12.0
TITLE, FINDING, BODY, SMALL = 17.0, 11.0, 9.5, 8.0  # points; nothing is smaller than the last
_MM_PER_INCH = 25.4
_GAP = 3.0


@dataclass(frozen=True)
class Head:
    """What stands around a picture, in the reader's words.

    Attributes
    ----------
    title, finding : str
        What is shown, and the answer in one sentence.
    selection : str
        What was selected, and what it is compared with.
    foot : str
        Window, what is not drawn, counting rule, data-as-of, release.
    tags : tuple of str
        Short marks in boxes: 合成数据, 内部使用.
    """

    title: str
    finding: str
    selection: str
    foot: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Box:
    """A part of a page, millimetres from its lower left corner."""

    left: float
    bottom: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def top(self) -> float:
        """Its upper edge."""
        return self.bottom + self.height


class Page:
    """A figure of its own, drawn on in millimetres."""

    def __init__(self, size: tuple[float, float]):
        self.width, self.height = size
        self.figure = Figure(figsize=(self.width / _MM_PER_INCH, self.height / _MM_PER_INCH), facecolor=LIGHT["panel"])
        FigureCanvasAgg(self.figure)

    def axes(self, box: Box) -> Axes:
        """Axes that fill a box."""
        share = (box.left / self.width, box.bottom / self.height, box.width / self.width, box.height / self.height)
        return self.figure.add_axes(share)

    def text(
        self, x: float, y: float, text: str, size: float = BODY, *, colour: str = "t2", bold: bool = False,
        align: str = "left", vertical: str = "baseline",
    ) -> None:  # fmt: skip
        """A text at a point."""
        self.figure.text(x / self.width, y / self.height, text, fontproperties=font(size, bold=bold), parse_math=False,
                         color=LIGHT.get(colour, colour), ha=align, va=vertical)  # fmt: skip

    def rectangle(self, box: Box, *, fill: str = "none", edge: str = "none", line: float = 0.6, hatched: bool = False):
        """A filled or outlined box; hatched is 未报."""
        if hatched:
            fill, edge = "warn-fill", "warn"
        shape = Rectangle(
            (box.left / self.width, box.bottom / self.height), box.width / self.width, box.height / self.height,
            facecolor=LIGHT.get(fill, fill), edgecolor=LIGHT.get(edge, edge), linewidth=line,
            transform=self.figure.transFigure, hatch="/////" if hatched else None,
        )  # fmt: skip
        self.figure.add_artist(shape)

    def line(
        self, x: tuple[float, float], y: tuple[float, float], *, colour: str = "line2", width: float = 0.6
    ) -> None:
        """A straight line."""
        ends = [value / self.width for value in x], [value / self.height for value in y]
        self.figure.add_artist(Line2D(*ends, color=LIGHT[colour], linewidth=width, solid_capstyle="butt"))

    def marker(self, x: float, y: float, shape: str, size: float, **style) -> None:
        """One mark, as a map or chart draws it."""
        self.figure.add_artist(
            Line2D([x / self.width], [y / self.height], marker=shape, markersize=size, linestyle="", **style)
        )

    def tag(self, right: float, y: float, text: str, *, tone: str = "t2") -> float:
        """A short text in a box that ends at ``right``; where the box begins."""
        wide = width_mm(text, SMALL) + 3.2
        box = FancyBboxPatch(
            ((right - wide) / self.width, (y - 1.5) / self.height), wide / self.width, 5.0 / self.height,
            boxstyle="square,pad=0", transform=self.figure.transFigure, facecolor="none", edgecolor=LIGHT["line2"],
            linewidth=0.7,
        )  # fmt: skip
        self.figure.add_artist(box)
        self.text(right - wide / 2, y, text, SMALL, colour=tone, align="center")
        return right - wide

    def frame(self, head: Head) -> Box:
        """Draw head and foot; what is left between them."""
        left, right = MARGIN, self.width - MARGIN
        y = self.height - MARGIN - TITLE * MM_PER_POINT * 0.85
        edge = right
        for text in reversed(head.tags):
            edge = self.tag(edge, y + 0.6, text) - 2.0
        size = TITLE
        while size > FINDING + 1 and width_mm(head.title, size, bold=True) > edge - left - _GAP:
            size -= 0.5
        self.text(left, y, shortened(head.title, edge - left - _GAP, size, bold=True), size, colour="t1", bold=True)
        for text, points, colour, gap in ((head.finding, FINDING, "t1", 7.0), (head.selection, SMALL, "t3", 5.4)):
            for number, line in enumerate(lines(text, right - left, points)):
                y -= gap if number == 0 else points * MM_PER_POINT * 1.4
                self.text(left, y, line, points, colour=colour)
        foot = lines(head.foot, right - left, SMALL, most_lines=3)
        step = SMALL * MM_PER_POINT * 1.45
        bottom = MARGIN * 0.75
        for number, line in enumerate(foot):
            self.text(left, bottom + (len(foot) - 1 - number) * step, line, SMALL, colour="t3")
        rule = bottom + (len(foot) - 1) * step + SMALL * MM_PER_POINT * 1.35
        self.line((left, right), (rule, rule), colour="line")
        return Box(left, rule + _GAP, right - left, y - _GAP - (rule + _GAP))
