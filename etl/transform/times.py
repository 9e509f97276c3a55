"""Times as people write them: spans kept as spans, offsets converted, nothing guessed from a length alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

NAT = np.datetime64("NaT", "s")
MINUTE, HOUR, DAY, MONTH = 0, 1, 2, 3  # precision of each value, fine to coarse
PRECISION = {"minute": MINUTE, "hour": HOUR, "day": DAY, "month": MONTH}

_ISO = r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$"
_OFFSET = r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}(:?\d{2})?)$"
_CLOCK = r"(?P<ap>上午|下午)?\s*(?P<h>\d{1,2})\s*(?:[:时点]\s*(?:(?P<i>\d{1,2})\s*分?\s*(?::?\s*(?P<s>\d{1,2})(?:\.\d+)?\s*秒?)?)?)?"
_YMD = (
    r"^(?P<y>\d{4})\s*[-/.年]\s*(?P<m>\d{1,2})\s*(?:[-/.月]\s*)?"
    r"(?:(?P<d>\d{1,2})(?:(?:\s*[日号]?\s*[T\s]\s*|\s*[日号]\s*)" + _CLOCK + r")?\s*[日号]?)?$"
)
_COMPACT = r"^(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?:[T ]?(?P<h>\d{2}):?(?P<i>\d{2})(?::?(?P<s>\d{2}))?)?$"
_SLASH = (
    r"^(?P<a>\d{1,2})[/-](?P<b>\d{1,2})[/-](?P<y>\d{4})"
    r"(?:[T\s]+(?P<h>\d{1,2}):(?P<i>\d{2})(?::(?P<s>\d{2})(?:\.\d+)?)?\s*(?P<ap>[AaPp][Mm])?)?$"
)
_SERIAL = r"^[2-7]\d{4}(\.\d+)?$"
_EXCEL_EPOCH = np.datetime64("1899-12-30", "s")


@dataclass(frozen=True)
class Times:
    """Parsed times. ``start`` datetime64[s], wall clock of the release's zone, NaT where unreadable; ``precision``
    one of MINUTE HOUR DAY MONTH per value."""

    start: np.ndarray
    precision: np.ndarray

    def end(self) -> np.ndarray:
        """Exclusive end of each span, NaT for exact times: an hour, a day or a calendar month after its start."""
        out = np.full(self.start.shape, NAT)
        for code, unit in ((HOUR, "h"), (DAY, "D"), (MONTH, "M")):
            at = self.precision == code
            if at.any():
                out[at] = (self.start[at].astype(f"datetime64[{unit}]") + 1).astype("datetime64[s]")
        return out


def parse(array: pa.Array, *, zone: str, source_zone: str | None = None, day_first: bool | None = None) -> Times:
    """Read folded text as wall-clock times of ``zone``.

    Accepts ISO 8601 with or without offset, ``2016年1月5日 14时30分``, ``2016.1.5``, ``2016/1/5``, ``20160105``,
    Excel serial days (1900 system), ``01/05/2015 12:20:09 AM``, whole months. Times with an offset or ``Z`` are
    converted; others are taken as ``source_zone`` where given, else as ``zone``. In ``05/01/2015`` the day comes first
    where some value of the column can only be read so; where none decides, ``day_first``, else by the zone (America:
    month first).
    """
    count = len(array)
    start, precision = np.full(count, NAT), np.zeros(count, np.uint8)
    todo = np.ones(count, bool)

    def settle(at: np.ndarray, values: np.ndarray, codes) -> None:
        good = ~np.isnat(values)
        start[at[good]] = values[good]
        precision[at[good]] = codes[good] if isinstance(codes, np.ndarray) else codes
        todo[at[good]] = False

    at, part = _subset(array, todo, _ISO)
    if at.size:
        settle(at, _localise(_cast(part, pa.timestamp("s")), source_zone, zone), MINUTE)
    if todo.any():
        at, part = _subset(array, todo, _OFFSET)
        if at.size:
            moments = _converted(part, zone)
            if np.isnat(moments).all():  # one impossible date among them: halve until it is found
                moments = _converted_by_halves(part, zone)
            settle(at, moments, MINUTE)
    for pattern in (_YMD, _COMPACT, _SLASH):
        if not todo.any():
            break
        at, part = _subset(array, todo, pattern)
        if at.size:
            fields = pc.extract_regex(part, pattern)
            values, codes = _compose(fields, pattern, zone, day_first)
            moved = _localise(values, source_zone, zone)
            settle(at, np.where(codes == MINUTE, moved, values), codes)
    if todo.any():
        at, part = _subset(array, todo, _SERIAL)
        if at.size:
            serial = part.cast(pa.float64()).to_numpy(zero_copy_only=False)
            seconds = np.round(serial * 86400).astype("timedelta64[s]")
            settle(at, _EXCEL_EPOCH + seconds, np.where(serial == np.floor(serial), DAY, MINUTE).astype(np.uint8))
    return Times(start, precision)


def _subset(array: pa.Array, todo: np.ndarray, pattern: str) -> tuple[np.ndarray, pa.Array]:
    if todo.all():
        hit = pc.match_substring_regex(array, pattern).to_numpy(zero_copy_only=False)
        at = np.flatnonzero(hit)
        return at, array if at.size == len(array) else array.take(pa.array(at))
    left = np.flatnonzero(todo)
    part = array.take(pa.array(left))
    hit = pc.match_substring_regex(part, pattern).to_numpy(zero_copy_only=False)
    return left[hit], part.filter(pa.array(hit))


def _cast(part: pa.Array, type_: pa.TimestampType) -> np.ndarray:
    """ISO text to datetime64[s]. Where one date of a column is impossible the slower patterns sort it out."""
    try:
        return part.cast(type_).to_numpy(zero_copy_only=False).astype("datetime64[s]")
    except pa.ArrowInvalid:
        return np.full(len(part), NAT)


def _converted(part: pa.Array, zone: str) -> np.ndarray:
    part = pc.replace_substring_regex(part, r"(:\d{2})\.\d+", r"\1")
    utc = _cast(part, pa.timestamp("s", "UTC"))
    stamps = pa.array(utc, pa.timestamp("s")).cast(pa.timestamp("s", "UTC")).cast(pa.timestamp("s", zone))
    return pc.local_timestamp(stamps).to_numpy(zero_copy_only=False).astype("datetime64[s]")


def _converted_by_halves(part: pa.Array, zone: str) -> np.ndarray:
    moments = _converted(part, zone)
    if len(part) < 2 or not np.isnat(moments).all():
        return moments
    half = len(part) // 2
    return np.concatenate(
        [_converted_by_halves(part.slice(0, half), zone), _converted_by_halves(part.slice(half), zone)]
    )


def _localise(values: np.ndarray, source_zone: str | None, zone: str) -> np.ndarray:
    if source_zone is None or source_zone == zone:
        return values
    stamps = pc.assume_timezone(
        pa.array(values, pa.timestamp("s")), source_zone, ambiguous="earliest", nonexistent="latest"
    )
    return (
        pc.local_timestamp(stamps.cast(pa.timestamp("s", zone))).to_numpy(zero_copy_only=False).astype("datetime64[s]")
    )


def _number(fields: pa.StructArray, name: str) -> np.ndarray:
    text = fields.field(name)
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    return pc.fill_null(text.cast(pa.int32()), -1).to_numpy(zero_copy_only=False)


def _compose(fields: pa.StructArray, pattern: str, zone: str, day_first: bool | None) -> tuple[np.ndarray, np.ndarray]:
    """Parts -> (datetime64[s] with NaT where impossible, precision)."""
    year = _number(fields, "y")
    if pattern is _SLASH:
        first, second = _number(fields, "a"), _number(fields, "b")
        if (first > 12).any() or (
            not (second > 12).any() and (day_first if day_first is not None else not zone.startswith("America/"))
        ):
            day, month = first, second
        else:
            month, day = first, second
    else:
        month, day = _number(fields, "m"), _number(fields, "d")
    hour, minute, second_ = (_number(fields, n) for n in "his")
    if pattern is not _COMPACT:
        mark = pc.utf8_lower(fields.field("ap"))
        pm = pc.is_in(mark, pa.array(["pm", "下午"])).to_numpy(zero_copy_only=False)
        twelve = pc.not_equal(mark, "").to_numpy(zero_copy_only=False)
        bad = twelve & ((hour < 1) | (hour > 12))
        hour = np.where(twelve, np.where(bad, 99, hour % 12 + np.where(pm, 12, 0)), hour)
    codes = np.where(day < 0, MONTH, np.where(hour < 0, DAY, np.where(minute < 0, HOUR, MINUTE))).astype(np.uint8)
    good = (month >= 1) & (month <= 12) & (year >= 1900) & (year <= 2199)
    months = (np.where(good, (year - 1970) * 12 + month - 1, 0)).astype("datetime64[M]")
    length = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(int)
    day0 = np.maximum(day, 1) - 1
    clock = np.maximum(hour, 0) * 3600 + np.maximum(minute, 0) * 60 + np.maximum(second_, 0)
    good &= (day != 0) & (day0 < length) & (minute < 60) & (second_ < 61) & (clock <= 86400)
    values = months.astype("datetime64[D]").astype("datetime64[s]") + (day0 * 86400 + clock).astype("timedelta64[s]")
    return np.where(good, values, NAT), codes


def at_precision(times: Times, declared: str) -> Times:
    """Times at a source's precision. ``auto``: where every value is a midnight, days (2 values or more); where every
    value is the first of a month and they name several months, whole months (20 or more). A coarser declared precision
    widens."""
    code = PRECISION.get(declared)
    known = ~np.isnat(times.start)
    if declared == "auto" and known.sum() >= 2:
        start = times.start[known]
        if (start == start.astype("datetime64[D]")).all():
            months = start.astype("datetime64[M]")
            first = (start == months.astype("datetime64[s]")).all() and np.unique(months).size > 1 and start.size >= 20
            code = MONTH if first else DAY
    if code is None or code == MINUTE:
        return times
    precision = np.maximum(times.precision, np.uint8(code))
    unit = {HOUR: "h", DAY: "D", MONTH: "M"}
    start = times.start.copy()
    for value, name in unit.items():
        at = known & (precision == value)
        start[at] = start[at].astype(f"datetime64[{name}]").astype("datetime64[s]")
    return Times(start, precision)
