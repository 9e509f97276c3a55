"""The column beside a map: legends from the top, the list of what matters from there on."""

from __future__ import annotations

from dashboard.language import say
from dashboard.pictures.lettering import lines, shortened, width_mm
from dashboard.pictures.map_frame import HATCHED, Legend, MapFrame, Swatch
from dashboard.pictures.page import BODY, SMALL, Box, Page
from dashboard.pictures.palette import LIGHT

_ROW, _GAP, _SWATCH = 5.0, 4.0, (6.5, 3.4)  # millimetres: a line, between legends, width and height of a colour
_MOST_RANKED = 18


def draw_side(page: Page, box: Box, frame: MapFrame) -> None:
    """Draw the column."""
    y = box.top - 3.4
    named = [legend for legend in frame.legends if legend.name]
    for legend in named:
        y = _legend(page, box, y, legend) - _GAP
    marks = [swatch for legend in frame.legends if not legend.name for swatch in legend.swatches]
    for swatch in marks:
        _swatch(page, box.left, y - 1.0, swatch, box.width)
        y -= _ROW
    y -= _GAP - 1.0 if marks else 0.0
    _ranked(page, box, y, frame)


def _legend(page: Page, box: Box, y: float, legend: Legend) -> float:
    """One legend below ``y``; where it ends."""
    page.text(box.left, y, legend.name, BODY, colour="t1", bold=True)
    y -= 4.6
    for line in lines(legend.unit, box.width, SMALL):
        page.text(box.left, y, line, SMALL, colour="t3")
        y -= 3.9
    if legend.ramp:
        y = _ramp(page, box, y, legend)
    for swatch in legend.swatches:
        _swatch(page, box.left, y - 2.6, swatch, box.width)
        y -= _ROW
    for line in lines(legend.note, box.width, SMALL, most_lines=3):
        page.text(box.left, y - 2.4, line, SMALL, colour="t3")
        y -= 3.9
    return y - (2.0 if legend.note else 0.0)


def _ramp(page: Page, box: Box, y: float, legend: Legend) -> float:
    """Colours of equal width, the lower limit of each under its left joint."""
    wide = box.width / len(legend.ramp)
    high = 4.2
    for number, (colour, limit) in enumerate(zip(legend.ramp, legend.limits, strict=True)):
        left = box.left + number * wide
        page.rectangle(Box(left, y - high + 1.6, wide, high), fill=colour)
        page.text(left, y - high - 2.0, shortened(limit, wide - 0.6, SMALL), SMALL, colour="t2")
    return y - high - 4.6


def _swatch(page: Page, left: float, y: float, swatch: Swatch, width: float) -> None:
    if swatch.mark:
        page.marker(left + _SWATCH[0] / 2, y + 1.1, swatch.mark, 5, markerfacecolor=LIGHT.get(swatch.colour, "none"),
                    markeredgecolor=LIGHT[swatch.tone], markeredgewidth=0.9)  # fmt: skip
    else:
        hatched = swatch.colour == HATCHED
        page.rectangle(Box(left, y - 0.5, *_SWATCH), fill=swatch.colour, edge="line2", line=0.5, hatched=hatched)
    page.text(left + _SWATCH[0] + 2.2, y, shortened(swatch.words, width - _SWATCH[0] - 2.2, SMALL + 0.5), SMALL + 0.5)


def _ranked(page: Page, box: Box, y: float, frame: MapFrame) -> None:
    room = int((y - box.bottom - 5.0) / _ROW)
    shown = frame.ranked[: min(room, _MOST_RANKED)]
    if len(shown) < min(3, len(frame.ranked)) or not shown:
        return
    page.text(box.left, y, frame.ranked_title, BODY, colour="t1", bold=True)
    if len(frame.ranked) > len(shown):
        more = say("前{n} / 共{m}", n=len(shown), m=f"{len(frame.ranked):,}")
        page.text(box.right, y, more, SMALL, colour="t3", align="right")
    marked = any(row.mark for row in shown)
    y -= 1.8
    page.line((box.left, box.right), (y, y), colour="line")
    for row in shown:
        y -= _ROW
        edge = box.right
        if row.mark:
            page.text(edge, y + 0.6, row.mark, SMALL + 0.5, colour=row.tone, align="right")
        edge -= 4.6 if marked else 0.0
        page.text(edge, y + 0.6, row.value, SMALL + 0.5, colour="t1", bold=True, align="right")
        room_mm = edge - width_mm(row.value, SMALL + 0.5, bold=True) - 2.5 - box.left
        page.text(box.left, y + 0.6, shortened(row.name, room_mm, SMALL + 0.5), SMALL + 0.5, colour="t1")
