"""What a pack says, before it is a file. Every text stands here as it will be read; numbers beside them say what it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

SECTIONS = {
    "last": "上期议定事项",
    "overall": "总体情况",
    "change": "变化",
    "hotspots": "热点",
    "hours": "时段与星期",
    "disputes": "矛盾纠纷",
    "video": "视频与盲区",
    "reporting": "上报情况",
    "quality": "数据质量",
    "scorecard": "热点成绩单",
    "advice": "工作建议",
    "decisions": "议定事项",
}


@dataclass(frozen=True)
class Fact:
    """A count that can be recounted from the rows of the release.

    Attributes
    ----------
    label : str
        What is counted, for the message of the self-check.
    value : int
    start, end : date
        Half-open.
    area : str or None
    category : str or None
    hours : (int, int) or None
    units : tuple of int
        Positions of grids; empty is every place.
    """

    label: str
    value: int
    start: date
    end: date
    area: str | None = None
    category: str | None = None
    hours: tuple[int, int] | None = None
    units: tuple[int, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One sentence.

    ``weight`` ranks: verdicts over size; ``tone`` is bad, warn, good or "".
    """

    text: str
    weight: float = 0.0
    tone: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell of a table; ``tone`` as of :class:`Finding`, or ``shade`` 0 to 5 of the count ramp."""

    text: str
    tone: str = ""
    shade: int | None = None


@dataclass(frozen=True)
class Table:
    """A table; the first ``texts`` columns are words and stand left, the others right."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    texts: int = 1
    note: str = ""
    widths: tuple[float, ...] = ()  # shares; equal where empty


@dataclass(frozen=True)
class Chart:
    """A chart; a value None is a gap. ``kind`` is ``line`` or ``bar``; series after ``solid`` are thin or dashed."""

    title: str
    kind: str
    unit: str
    labels: tuple[str, ...]
    series: tuple[tuple[str, tuple[float | None, ...]], ...]
    solid: int = 1
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """A map, drawn when a file wants it.

    Attributes
    ----------
    name : str
        ``hotspots`` or ``change``, see :mod:`dashboard.reports.maps`.
    """

    title: str
    name: str
    note: str = ""


Block = Table | Chart | Picture


@dataclass(frozen=True)
class Section:
    """One section: the sentence that answers it, further findings, what they rest on."""

    key: str
    findings: tuple[Finding, ...]
    blocks: tuple[Block, ...] = ()
    facts: tuple[Fact, ...] = ()
    draft: bool = False
    comment: str = ""

    @property
    def title(self) -> str:
        """What it is called."""
        return SECTIONS[self.key]


@dataclass(frozen=True)
class Pack:
    """A pack for an area and a period.

    Attributes
    ----------
    meeting : str
        周碰头会, 半月例会, 月联席会, 季度研判, 每日汇总.
    place, period, window, compared, filters : str
        What it is about, in words.
    data_as_of, release : str
    warnings : tuple of str
        What the cover must say: late or missing data, synthetic data.
    sections : tuple of Section
        In their order; hidden ones are left out.
    circulated : bool
        Small cells are suppressed.
    """

    meeting: str
    place: str
    period: str
    window: str
    compared: str
    filters: str
    data_as_of: str
    release: str
    warnings: tuple[str, ...]
    sections: tuple[Section, ...]
    circulated: bool = False
    synthetic: bool = False
    units: tuple[str, ...] = field(default=())
    signed: str = ""

    @property
    def title(self) -> str:
        """The title of the cover."""
        return f"{self.place}{self.meeting}研判材料"

    @property
    def header(self) -> str:
        """What stands on every page: area, window, filters, 数据截至, release, 内部使用."""
        parts = [
            self.place,
            self.window,
            self.filters,
            f"数据截至 {self.data_as_of}",
            f"发布 {self.release}",
            self.mark,
        ]
        return " · ".join(parts)

    @property
    def mark(self) -> str:
        """How it may be handed on."""
        return "供通报 小数已隐去" if self.circulated else "内部使用"

    def texts(self) -> list[str]:
        """Every text a file of the pack must carry, in order."""
        found = [self.title, self.period, *self.warnings]
        for section in self.sections:
            found.append(section.title)
            found += [one.text for one in section.findings]
            found += [section.comment] if section.comment else []
            for block in section.blocks:
                found.append(block.title)
                if isinstance(block, Table):
                    found += [*block.head, *(cell.text for row in block.rows for cell in row)]
                found += [block.note] if block.note else []
        return [text for text in found if text]
