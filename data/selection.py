"""The one Selection every view writes to and reads from: parsed from the query string, written back to it.

Dates are wall-clock dates of the release's zone. Windows are half-open ``[start, end)``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

import shapely

from data.errors import UsageError
from data.schema import CATEGORIES, INVALID
from geo.change import Window, a_year_before, next_month, preceding, window_of
from geo.change import calendar_unit as calendar_unit  # handed on to those who show a Selection

PARAMETERS = ("area", "from", "to", "compare", "category", "hours", "weekdays", "polygon")
FIRST_DATE, LAST_DATE = date(1900, 1, 1), date(2200, 1, 1)
MAX_POLYGON_CHARACTERS = 20_000
PERIOD_FORMS = "2026-W46、2026-11、2026-11-H1、2026-Q3、2026、2026-11-01..2026-11-16"


class ParameterError(UsageError):
    """A query parameter is unknown or has a value that is not allowed; carries what a 422 answer needs."""

    def __init__(self, parameter: str, value: str, allowed: str):
        self.parameter, self.value, self.allowed = parameter, value, allowed
        super().__init__("参数不可用", where=parameter, found=value[:200], expected=allowed)


@dataclass(frozen=True)
class Selection:
    """What is being looked at.

    Attributes
    ----------
    start, end : date
        Half-open window.
    area : str or None
        Code of an area or grid of any level; None is the whole scope of the user.
    compare : str
        ``previous``, ``last_year``, ``none`` or ``FROM..TO`` (half-open dates).
    categories : tuple of str
        Empty is every category but 无效, which only counts where it is named.
    hours : (int, int) or None
        First and last hour, both included; first > last wraps over midnight.
    weekdays : tuple of int
        1 (Monday) to 7, ascending; empty is every day.
    polygon : str or None
        WKT polygon or multipolygon, longitude latitude.
    """

    start: date
    end: date
    area: str | None = None
    compare: str = "previous"
    categories: tuple[str, ...] = ()
    hours: tuple[int, int] | None = None
    weekdays: tuple[int, ...] = ()
    polygon: str | None = None

    @property
    def days(self) -> int:
        """Length of the window in days."""
        return (self.end - self.start).days

    @property
    def compare_window(self) -> Window | None:
        """The window compared with, half-open; None for ``compare=none``."""
        return compare_window((self.start, self.end), self.compare)

    @property
    def counted_categories(self) -> tuple[str, ...]:
        """Categories that count: the named ones, or all but 无效."""
        return self.categories or tuple(c for c in CATEGORIES if c != INVALID)

    @property
    def counted_hours(self) -> tuple[int, ...]:
        """Hours of the day that count, ascending; empty without an hour filter."""
        if self.hours is None:
            return ()
        first, last = self.hours
        span = (last - first) % 24 + 1
        return tuple(sorted((first + i) % 24 for i in range(span)))

    def to_pairs(self) -> list[tuple[str, str]]:
        """Query parameters in a fixed order; the inverse of :func:`parse_selection`."""
        pairs = [("area", self.area)] if self.area else []
        pairs += [("from", self.start.isoformat()), ("to", self.end.isoformat()), ("compare", self.compare)]
        pairs += [("category", c) for c in self.categories]
        if self.hours is not None:
            pairs.append(("hours", f"{self.hours[0]}-{self.hours[1]}"))
        if self.weekdays:
            pairs.append(("weekdays", ",".join(map(str, self.weekdays))))
        if self.polygon:
            pairs.append(("polygon", self.polygon))
        return pairs

    def to_query(self) -> str:
        """The query string, without ``?``."""
        return urlencode(self.to_pairs())

    def to_meta(self) -> dict:
        """The Selection as an answer states it, with the compared window resolved."""
        before = self.compare_window
        return {
            "area": self.area,
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "compare": self.compare,
            "compare_from": before[0].isoformat() if before else None,
            "compare_to": before[1].isoformat() if before else None,
            "category": list(self.counted_categories),
            "hours": None if self.hours is None else f"{self.hours[0]}-{self.hours[1]}",
            "weekdays": list(self.weekdays) or None,
            "polygon": self.polygon,
        }


def parse_selection(pairs: Iterable[tuple[str, str]], default_window: Window) -> Selection:
    """Read a Selection from query parameters.

    Parameters
    ----------
    pairs : iterable of (name, value)
        In any order; only ``category`` may repeat. Every name must be one of ``PARAMETERS``.
    default_window : (date, date)
        Taken where neither ``from`` nor ``to`` is given, see :func:`default_window`.

    Raises
    ------
    ParameterError
        For an unknown or repeated name, or a value that is not allowed.
    """
    given: dict[str, str] = {}
    categories: list[str] = []
    for name, value in pairs:
        if name not in PARAMETERS:
            raise ParameterError(name, value, "可用参数 " + " ".join(PARAMETERS))
        if name == "category":
            if value not in CATEGORIES:
                raise ParameterError(name, value, " ".join(CATEGORIES))
            categories.append(value)
        elif name in given:
            raise ParameterError(name, value, "只能出现一次")
        else:
            given[name] = value
    start, end = _window(given, default_window)
    compare = _compare(given.get("compare", "previous"))
    before = compare_window((start, end), compare)
    if before is not None and before[0] < FIRST_DATE:
        raise ParameterError("compare", compare, f"对比时段在 {FIRST_DATE} 至 {LAST_DATE} 之间")
    if given.get("area") == "":
        raise ParameterError("area", "", "区划代码或网格编码")
    return Selection(
        start=start,
        end=end,
        area=given.get("area"),
        compare=compare,
        categories=tuple(c for c in CATEGORIES if c in categories),
        hours=_hours(given["hours"]) if "hours" in given else None,
        weekdays=_weekdays(given["weekdays"]) if "weekdays" in given else (),
        polygon=_polygon(given["polygon"]) if "polygon" in given else None,
    )


def default_window(data_as_of: datetime, *, monthly: bool = False) -> Window:
    """The last complete ISO week at ``data_as_of``; the last complete month where all incident sources are monthly."""
    return window_of("month" if monthly else "iso_week", data_as_of.date())


def parse_period(text: str, parameter: str = "period") -> Window:
    """Half-open dates of a period: ISO week, month, half-month, quarter, year, or ``FROM..TO``.

    Raises
    ------
    ParameterError
        Where the text is none of these or the period does not exist (W53 of a year with 52 weeks).
    """
    fault = ParameterError(parameter, text, PERIOD_FORMS)
    if ".." in text:
        first, _, last = text.partition("..")
        window = _date(parameter, first, text), _date(parameter, last, text)
        if window[0] >= window[1]:
            raise ParameterError(parameter, text, "起始日期早于结束日期（不含结束日）")
        return window
    match = re.fullmatch(r"(\d{4})(?:-(?:W(\d\d)|Q([1-4])|(\d\d)(?:-H([12]))?))?", text, re.ASCII)
    if match is None:
        raise fault
    year, week, quarter, month, half = (int(part) if part else None for part in match.groups())
    try:
        if week is not None:
            start = date.fromisocalendar(year, week, 1)
            window = start, start + timedelta(days=7)
        elif quarter is not None:
            window = date(year, 3 * quarter - 2, 1), next_month(date(year, 3 * quarter, 1))
        elif half == 1:
            window = date(year, month, 1), date(year, month, 16)
        elif half == 2:
            window = date(year, month, 16), next_month(date(year, month, 1))
        elif month is not None:
            window = date(year, month, 1), next_month(date(year, month, 1))
        else:
            window = date(year, 1, 1), date(year + 1, 1, 1)
    except (ValueError, OverflowError):
        raise fault from None
    if not (window[0] >= FIRST_DATE and window[1] <= LAST_DATE):
        raise fault
    return window


def compare_window(window: Window, compare: str) -> Window | None:
    """The window compared with; None for ``none``, and ``FROM..TO`` as it says.

    ``previous`` is :func:`geo.change.preceding`, ``last_year`` is :func:`geo.change.a_year_before`.
    """
    if compare == "none":
        return None
    if compare == "previous":
        return preceding(window)
    if compare == "last_year":
        return a_year_before(window)
    first, _, last = compare.partition("..")
    return date.fromisoformat(first), date.fromisoformat(last)


def _date(parameter: str, text: str, given: str | None = None) -> date:
    """A date; a fault names the whole value ``given`` where the date is a part of it."""
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            raise ValueError
        day = date.fromisoformat(text)
    except ValueError:
        raise ParameterError(parameter, given or text, "日期，如 2026-11-09") from None
    if not FIRST_DATE <= day <= LAST_DATE:
        raise ParameterError(parameter, given or text, f"{FIRST_DATE} 至 {LAST_DATE} 之间的日期")
    return day


def _window(given: dict[str, str], default: Window) -> Window:
    if "from" not in given and "to" not in given:
        return default
    for name, other in (("from", "to"), ("to", "from")):
        if name not in given:
            raise ParameterError(name, "", f"与 {other} 同时给出的日期，如 2026-11-09")
    start, end = _date("from", given["from"]), _date("to", given["to"])
    if start >= end:
        raise ParameterError("to", given["to"], f"晚于 from={start} 的日期（不含该日）")
    return start, end


def _compare(text: str) -> str:
    if text in ("previous", "last_year", "none"):
        return text
    if ".." not in text:
        raise ParameterError("compare", text, "previous last_year none 或 FROM..TO，如 2026-10-01..2026-11-01")
    first, last = parse_period(text, "compare")
    return f"{first}..{last}"


def _hours(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,2})-(\d{1,2})", text, re.ASCII)
    if match is None or int(match[1]) > 23 or int(match[2]) > 23:
        raise ParameterError("hours", text, "0 至 23 的两个整点，如 18-23；22-5 跨零点")
    return int(match[1]), int(match[2])


def _weekdays(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"[1-7](,[1-7])*", text, re.ASCII):
        raise ParameterError("weekdays", text, "1（周一）至 7（周日），以逗号分隔，如 1,2,7")
    return tuple(sorted({int(day) for day in text.split(",")}))


def _polygon(text: str) -> str:
    fault = ParameterError("polygon", text, "WKT 面 POLYGON 或 MULTIPOLYGON，经度在前，不自相交")
    if len(text) > MAX_POLYGON_CHARACTERS:
        raise ParameterError("polygon", text, f"不超过 {MAX_POLYGON_CHARACTERS} 个字符")
    try:
        shape = shapely.from_wkt(text)
    except shapely.errors.GEOSException:
        raise fault from None
    if shape is None or shape.geom_type not in ("Polygon", "MultiPolygon") or shape.is_empty or not shape.is_valid:
        raise fault
    west, south, east, north = shape.bounds
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        raise ParameterError("polygon", text, "经度 -180 至 180，纬度 -90 至 90")
    return text
