"""Numbers, dates and names as the pages write them: minus −, range —, one decimal at most, 未报 never 0."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from data.selection import Window, calendar_unit

LEVEL_NAMES = {
    "province": "省",
    "city": "市",
    "district": "区县",
    "street": "街道",
    "community": "社区",
    "grid": "网格",
}
WEEKDAYS = "一二三四五六日"
MISSING = "未报"
NOTHING = "—"


def whole(value: int | None) -> str:
    """A count with thousands separated; 未报 for None."""
    return MISSING if value is None else f"{value:,}"


def signed(value: int | None) -> str:
    """A difference with its sign."""
    if value is None:
        return NOTHING
    return f"+{value:,}" if value > 0 else f"−{-value:,}" if value < 0 else "0"


def signed_percent(value: float | None) -> str:
    """A change in percent, one decimal, a trailing .0 dropped."""
    if value is None:
        return NOTHING
    text = f"{abs(value):,.1f}".removesuffix(".0")
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{text}%" if text != "0" else "0%"


def p_text(p: float | None) -> str:
    """A p-value to three decimals."""
    if p is None:
        return ""
    return "p<0.001" if p < 0.0005 else f"p={p:.3f}" if p < 0.9995 else "p=1"


def plain(value: float) -> str:
    """A class limit without superfluous zeros."""
    return f"{value:,.10g}"


def window_text(window: Window, *, year: bool = False) -> str:
    """A window by its first and last day, both included: 11月9日—15日."""
    start, last = window[0], window[1] - timedelta(days=1)
    unit = calendar_unit(window)
    if unit == "year":
        return f"{start.year}年"
    if unit == "month":
        return f"{start.year}年{start.month}月"
    if unit == "quarter":
        return f"{start.year}年{'一二三四'[start.month // 3]}季度"
    head = f"{start.year}年" if year or start.year != last.year else ""
    first = f"{head}{start.month}月{start.day}日"
    if start == last:
        return first
    if start.year != last.year:
        return f"{first}—{last.year}年{last.month}月{last.day}日"
    return f"{first}—{f'{last.month}月' if last.month != start.month else ''}{last.day}日"


def period_name(window: Window) -> str:
    """What people call a window: 第46周, 11月上半月, 10月, 三季度, 2026年, 9天."""
    start, end = window
    if start.weekday() == 0 and (end - start).days == 7:
        return f"{start.isocalendar().year}年第{start.isocalendar().week}周"
    unit = calendar_unit(window)
    if unit == "half":
        return f"{start.year}年{start.month}月{'上' if start.day == 1 else '下'}半月"
    if unit == "days":
        return f"{(end - start).days}天"
    return window_text(window)


def before_name(window: Window, compare: str) -> str:
    """What the compared window is called: 上周, 上月, 前9天, 去年同期."""
    if compare == "last_year":
        return "去年同期"
    if compare != "previous":
        return "对比期"
    start, end = window
    if start.weekday() == 0 and (end - start).days == 7:
        return "上周"
    names = {"half": "前半月", "month": "上月", "quarter": "上季", "year": "上年"}
    return names.get(calendar_unit(window), f"前{(end - start).days}天")


def now_name(window: Window) -> str:
    """What the current window is called: 本周, 本月, 本期."""
    start, end = window
    if start.weekday() == 0 and (end - start).days == 7:
        return "本周"
    return {"half": "本半月", "month": "本月", "quarter": "本季", "year": "本年"}.get(calendar_unit(window), "本期")


def moment(iso: str | None, today: date) -> str:
    """A time of data; the year only where it is not this year's."""
    if iso is None:
        return NOTHING
    at = datetime.fromisoformat(iso)
    return at.strftime("%m-%d %H:%M" if at.year == today.year else "%Y-%m-%d %H:%M")


def hours_text(hours: tuple[int, int] | None) -> str:
    """An hour filter, both hours included."""
    if hours is None:
        return "全天"
    first, last = hours
    return f"{first}时" if first == last else f"{first}—{last}时"


def weekdays_text(days: tuple[int, ...]) -> str:
    """A weekday filter."""
    return "周" + "、".join(WEEKDAYS[day - 1] for day in days) if days else "每天"
