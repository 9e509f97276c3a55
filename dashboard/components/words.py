"""Numbers, dates and names as the pages write them: minus −, range —, one decimal at most, 未报 never 0."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from dashboard.language import current, say
from data.selection import Window, calendar_unit
from geo.change import percent_text

DISPUTE_STAGES = {"found": "排查", "accepted": "受理", "handled": "调处", "succeeded": "成功"}
KERNEL_NAMES = {"quartic": "四次核", "gaussian": "高斯核"}
LEVEL_NAMES = {
    "province": "省",
    "city": "市",
    "district": "区县",
    "street": "街道",
    "community": "社区",
    "grid": "网格",
}
WEEKDAYS = "一二三四五六日"
MONTHS = ("1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月")
MISSING = "未报"
NOTHING = "—"
THRESHOLDS = (0.01, 0.05)  # of the verdicts: a p is never written on the other side of one


def whole(value: int | None) -> str:
    """A count with thousands separated; 未报 for None, in English n/r: its place is as wide as a number."""
    if value is None:
        return "n/r" if current() == "en" else say(MISSING)
    return f"{value:,}"


def signed(value: int | None) -> str:
    """A difference with its sign."""
    if value is None:
        return NOTHING
    return f"+{value:,}" if value > 0 else f"−{-value:,}" if value < 0 else "0"


def signed_percent(value: float | None) -> str:
    """A change in percent, one decimal, rounded half up, a trailing .0 dropped."""
    return NOTHING if value is None else percent_text(value, 100, signed=True)


def share_text(numerator: float, denominator: float) -> str:
    """A share in percent, one decimal, rounded half up; — where the denominator is 0."""
    return percent_text(numerator, denominator)


def p_text(p: float | None) -> str:
    """A p-value to three decimals, more where fewer would move it over a threshold."""
    if p is None:
        return ""
    if p < 0.0005:
        return "p<0.001"
    decimals = 3
    while decimals < 8 and any((round(p, decimals) < limit) != (p < limit) for limit in THRESHOLDS):
        decimals += 1
    return f"p={p:.{decimals}f}" if p < 0.9995 else "p=1"


def q_text(q: float) -> str:
    """A p adjusted over many units, to three decimals."""
    return "q<0.001" if q < 0.001 else f"q={q:.3f}"


def signed_tenths(value: float) -> str:
    """An estimated difference with its sign."""
    return f"{'−' if value < 0 else '+'}{abs(value):.1f}"


def plain(value: float) -> str:
    """A class limit without superfluous zeros."""
    return f"{value:,.10g}"


# --- dates ------------------------------------------------------------------------------------------------------------


def _parts(day: date, number: str = "") -> dict:
    """What a date can be written from; ``mon`` is the month's name in languages that write names."""
    return {f"y{number}": day.year, f"m{number}": day.month, f"d{number}": day.day,
            f"mon{number}": month_text(day)}  # fmt: skip


def month_text(day: date) -> str:
    """The month of a day: 11月."""
    return say(MONTHS[day.month - 1])


def short_day(day: date) -> str:
    """A day in a narrow place: 11/9, in English 9 Nov."""
    return say("{m}/{d}", **_parts(day))


def tick_days(days: list[date]) -> list[str]:
    """Days along an axis: 11/9, then 10, 11; the month only where it is another."""
    before = [None, *days]
    return [str(day.day) if last and last.month == day.month else short_day(day)
            for last, day in zip(before, days, strict=False)]  # fmt: skip


def day_text(day: date, *, year: bool = False) -> str:
    """A day: 11月9日."""
    return say("{y}年{m}月{d}日", **_parts(day)) if year else say("{m}月{d}日", **_parts(day))


def window_text(window: Window, *, year: bool = False) -> str:
    """A window by its first and last day, both included: 11月9日—15日."""
    start, last = window[0], window[1] - timedelta(days=1)
    unit = calendar_unit(window)
    if unit == "year":
        return say("{y}年", **_parts(start))
    if unit == "month":
        return say("{y}年{m}月", **_parts(start))
    if unit == "quarter":
        return say("{y}年{q}季度", q="一二三四"[start.month // 3], n=start.month // 3 + 1, **_parts(start))
    if start == last:
        return day_text(start, year=year)
    both = {**_parts(start), **_parts(last, "2")}
    if start.year != last.year:
        return say("{y}年{m}月{d}日—{y2}年{m2}月{d2}日", **both)
    if start.month != last.month:
        return say("{y}年{m}月{d}日—{m2}月{d2}日", **both) if year else say("{m}月{d}日—{m2}月{d2}日", **both)
    return say("{y}年{m}月{d}日—{d2}日", **both) if year else say("{m}月{d}日—{d2}日", **both)


def period_name(window: Window) -> str:
    """What people call a window: 第46周, 11月上半月, 10月, 三季度, 2026年, 9天."""
    start, end = window
    if _is_week(window):
        year, week, _ = start.isocalendar()
        return say("{y}年第{w}周", y=year, w=week)
    unit = calendar_unit(window)
    if unit == "half":
        return say("{y}年{m}月上半月" if start.day == 1 else "{y}年{m}月下半月", **_parts(start))
    if unit == "days":
        return days_text((end - start).days)
    return window_text(window)


def days_text(days: int) -> str:
    """A number of days."""
    return say("1天") if days == 1 else say("{n}天", n=days)


def before_name(window: Window, compare: str) -> str:
    """What the compared window is called: 上周, 上月, 前9天, 去年同期."""
    if compare == "last_year":
        return say("去年同期")
    if compare != "previous":
        return say("对比期")
    if _is_week(window):
        return say("上周")
    names = {"half": "前半月", "month": "上月", "quarter": "上季", "year": "上年"}
    days = (window[1] - window[0]).days
    if days == 1:
        return say("前一天")
    return say(names.get(calendar_unit(window), "前{n}天"), n=days)


def now_name(window: Window) -> str:
    """What the current window is called: 本周, 本月, 本期."""
    if _is_week(window):
        return say("本周")
    return say(
        {"half": "本半月", "month": "本月", "quarter": "本季", "year": "本年"}.get(calendar_unit(window), "本期")
    )


def _is_week(window: Window) -> bool:
    return window[0].weekday() == 0 and (window[1] - window[0]).days == 7


def moment(iso: str | None, today: date) -> str:
    """A time of data; the year only where it is not this year's."""
    if iso is None:
        return NOTHING
    at = datetime.fromisoformat(iso)
    words = "{m:02}-{d:02} {t}" if at.year == today.year else "{y}-{m:02}-{d:02} {t}"
    return say(words, t=at.strftime("%H:%M"), **_parts(at))


def hours_text(hours: tuple[int, int] | None) -> str:
    """An hour filter, from the beginning of its first hour to the end of its last: 18—24时, 22—次日6时."""
    if hours is None:
        return say("全天")
    first, last = hours
    if last < first:
        return say("{a}—次日{b}时", a=first, b=last + 1)
    return say("{a}—{b}时", a=first, b=last + 1)


def weekdays_text(days: tuple[int, ...]) -> str:
    """A weekday filter."""
    return say("周{days}", days=listed(say(WEEKDAYS[day - 1]) for day in days)) if days else say("每天")


def listed(words) -> str:
    """Words one after the other."""
    return say("、").join(words)
