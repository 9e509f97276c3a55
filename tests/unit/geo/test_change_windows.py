"""Comparison windows: each kind against the calendar written out, and what must hold of all."""

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.change import KINDS, PERIODS, calendar_unit, comparison_window, preceding, window_of

FESTIVALS = {
    2023: date(2023, 1, 22),
    2024: date(2024, 2, 10),
    2025: date(2025, 1, 29),
    2026: date(2026, 2, 17),
    2027: date(2027, 2, 6),
}
DAY = timedelta(days=1)


def window(text):
    first, last = text.split("..")
    return date.fromisoformat(first), date.fromisoformat(last)


@pytest.mark.parametrize(
    ("kind", "now", "before", "days", "days_before"),
    [
        ("previous", "2026-11-02..2026-11-05", "2026-10-30..2026-11-02", 3, 3),
        ("previous", "2024-03-01..2024-04-01", "2024-02-01..2024-03-01", 31, 29),
        ("previous", "2026-01-01..2026-02-01", "2025-12-01..2026-01-01", 31, 31),
        ("last_year", "2026-12-28..2027-01-04", "2025-12-22..2025-12-29", 7, 7),  # W53 against W52
        ("last_year", "2024-12-30..2025-01-06", "2024-01-01..2024-01-08", 7, 7),  # 2025-W01 against 2024-W01
        ("last_year", "2024-02-01..2024-03-01", "2023-02-01..2023-03-01", 29, 28),
        ("last_year", "2024-02-29..2024-03-02", "2023-02-28..2023-03-02", 2, 2),
        ("iso_week", "2026-11-09..2026-11-16", "2026-11-02..2026-11-09", 7, 7),
        ("iso_week", "2026-12-28..2027-01-04", "2026-12-21..2026-12-28", 7, 7),
        ("iso_week", "2025-12-29..2026-01-05", "2025-12-22..2025-12-29", 7, 7),
        ("days_28", "2026-11-16..2026-12-14", "2026-10-19..2026-11-16", 28, 28),
        ("days_28", "2024-02-29..2024-03-28", "2024-02-01..2024-02-29", 28, 28),
        ("half_month", "2024-02-16..2024-03-01", "2024-02-01..2024-02-16", 14, 15),
        ("half_month", "2024-01-01..2024-01-16", "2023-12-16..2024-01-01", 15, 16),
        ("month", "2024-03-01..2024-04-01", "2024-02-01..2024-03-01", 31, 29),
        ("quarter", "2024-01-01..2024-04-01", "2023-10-01..2024-01-01", 91, 92),
        ("quarter", "2026-10-01..2027-01-01", "2026-07-01..2026-10-01", 92, 92),
        ("year", "2024-01-01..2025-01-01", "2023-01-01..2024-01-01", 366, 365),
    ],
)
def test_each_kind_by_the_calendar(kind, now, before, days, days_before):
    found = comparison_window(window(now), kind)
    assert tuple(found) == (window(now), window(before), days, days_before)
    assert ("天数不同" in found.note) == (days != days_before)


@pytest.mark.parametrize(
    ("given_window", "now", "before", "days", "days_before"),
    [
        ("2026-11-09..2026-11-16", "2026-01-01..2026-11-16", "2025-01-01..2025-11-16", 319, 319),
        ("2024-02-26..2024-03-01", "2024-01-01..2024-03-01", "2023-01-01..2023-03-01", 60, 59),  # to 29 February
        ("2024-02-26..2024-02-29", "2024-01-01..2024-02-29", "2023-01-01..2023-03-01", 59, 59),  # to 28 February
        ("2025-02-24..2025-03-01", "2025-01-01..2025-03-01", "2024-01-01..2024-03-01", 59, 60),
        ("2024-12-30..2025-01-01", "2024-01-01..2025-01-01", "2023-01-01..2024-01-01", 366, 365),
        ("2025-12-29..2026-01-02", "2026-01-01..2026-01-02", "2025-01-01..2025-01-02", 1, 1),
    ],
)
def test_year_to_date(given_window, now, before, days, days_before):
    found = comparison_window(window(given_window), "year_to_date")
    assert tuple(found) == (window(now), window(before), days, days_before)


@pytest.mark.parametrize(
    ("now", "before"),
    [
        ("2026-02-16..2026-02-23", "2025-01-28..2025-02-04"),  # 除夕 to 初六, both years
        ("2025-01-29..2025-01-30", "2024-02-10..2024-02-11"),
        ("2025-12-29..2026-01-05", "2024-12-10..2024-12-17"),  # 50 days before 春节
        ("2026-03-02..2026-03-09", "2025-02-11..2025-02-18"),
        ("2026-10-05..2026-10-12", "2025-10-16..2025-10-23"),  # placed by 春节 2027
    ],
)
def test_spring_festival(now, before):
    for festivals in (FESTIVALS, list(FESTIVALS.values())):
        found = comparison_window(window(now), "spring_festival", spring_festivals=festivals)
        assert (found.now, found.before) == (window(now), window(before))
        assert found.days == found.days_before
        assert found.note.startswith("按春节对齐：20")


@given(st.dates(date(2024, 8, 1), date(2027, 7, 1)), st.integers(1, 40))
def test_spring_festival_keeps_the_offset_in_days(start, length):
    now, before, *days = comparison_window((start, start + length * DAY), "spring_festival", spring_festivals=FESTIVALS)
    offsets = [
        {(side[0] - FESTIVALS[year]).days for year in years}
        for side, years in ((now, (2025, 2026, 2027)), (before, (2024, 2025, 2026)))
    ]
    assert offsets[0] & offsets[1]
    assert days == [length, length]


def test_a_spring_festival_that_is_not_given_is_named():
    week = window("2026-02-16..2026-02-23")
    with pytest.raises(ValueError, match="no date for 2025"):
        comparison_window(week, "spring_festival", spring_festivals={2026: date(2026, 2, 17)})
    with pytest.raises(ValueError, match="no date for 2026"):
        comparison_window(week, "spring_festival", spring_festivals=[date(2025, 1, 29)])
    with pytest.raises(ValueError, match="spring_festivals is missing"):
        comparison_window(week, "spring_festival")


def test_a_free_pair_is_taken_as_it_is():
    a, b = window("2026-11-01..2026-11-16"), window("2026-10-01..2026-10-08")
    found = comparison_window(a, "free", against=b)
    assert tuple(found) == (a, b, 15, 7)
    assert found.note == "两期天数不同：15 天对 7 天"
    assert comparison_window(a, "free", against=window("2026-11-10..2026-11-25")).note == "两期重叠 6 天"


@pytest.mark.parametrize(
    ("kind", "given_window", "instead"),
    [
        ("iso_week", "2026-11-10..2026-11-17", "2026-11-09..2026-11-16"),
        ("iso_week", "2026-11-02..2026-11-16", "2026-11-09..2026-11-16"),
        ("days_28", "2026-11-09..2026-11-16", "2026-10-19..2026-11-16"),
        ("half_month", "2026-11-02..2026-11-16", "2026-11-01..2026-11-16"),
        ("month", "2026-11-01..2026-11-30", "2026-10-01..2026-11-01"),
        ("quarter", "2026-02-01..2026-05-01", "2026-01-01..2026-04-01"),
        ("year", "2025-02-01..2026-02-01", "2025-01-01..2026-01-01"),
    ],
)
def test_a_window_that_is_not_whole_is_refused_and_a_whole_one_named(kind, given_window, instead):
    with pytest.raises(ValueError, match=f"expected a whole {kind}, such as {instead}"):
        comparison_window(window(given_window), kind)


def test_what_is_no_window_is_refused():
    week = window("2026-11-09..2026-11-16")
    with pytest.raises(ValueError, match="expected one of previous last_year iso_week"):
        comparison_window(week, "fortnight")
    with pytest.raises(ValueError, match="expected one of iso_week"):
        window_of("fortnight", date(2026, 1, 1))
    with pytest.raises(ValueError, match="expected a start before its end"):
        comparison_window(week[::-1], "previous")
    with pytest.raises(ValueError, match="dates without a time"):
        comparison_window((datetime(2026, 11, 9), datetime(2026, 11, 16)), "previous")
    with pytest.raises(ValueError, match="against is None"):
        comparison_window(week, "free")
    with pytest.raises(ValueError, match="nothing for other kinds"):
        comparison_window(week, "previous", against=week)
    with pytest.raises(ValueError, match="against is 2026-11-16"):
        comparison_window(week, "free", against=week[::-1])


@pytest.mark.parametrize(
    ("kind", "day", "complete", "holding"),
    [
        ("iso_week", "2027-01-01", "2026-12-21..2026-12-28", "2026-12-28..2027-01-04"),
        ("days_28", "2024-03-01", "2024-02-02..2024-03-01", "2024-02-03..2024-03-02"),
        ("half_month", "2026-11-16", "2026-11-01..2026-11-16", "2026-11-16..2026-12-01"),
        ("half_month", "2026-11-15", "2026-10-16..2026-11-01", "2026-11-01..2026-11-16"),
        ("month", "2024-02-29", "2024-01-01..2024-02-01", "2024-02-01..2024-03-01"),
        ("quarter", "2026-01-01", "2025-10-01..2026-01-01", "2026-01-01..2026-04-01"),
        ("year", "2024-12-31", "2023-01-01..2024-01-01", "2024-01-01..2025-01-01"),
        ("year_to_date", "2026-01-01", "2025-01-01..2026-01-01", "2026-01-01..2026-01-02"),
        ("year_to_date", "2024-02-29", "2024-01-01..2024-02-29", "2024-01-01..2024-03-01"),
    ],
)
def test_the_window_of_a_day(kind, day, complete, holding):
    day = date.fromisoformat(day)
    assert window_of(kind, day) == window(complete)
    assert window_of(kind, day, complete=False) == window(holding)


@pytest.mark.parametrize("kind", ["iso_week", "half_month", "month", "quarter", "year"])
def test_calendar_periods_cover_every_day_once(kind):
    first, last = date(2019, 1, 1), date(2029, 1, 1)
    found = sorted({window_of(kind, first + i * DAY, complete=False) for i in range((last - first).days)})
    assert all(a[1] == b[0] for a, b in pairwise(found))  # half-open: no gap, no overlap
    assert found[0][0] <= first and last <= found[-1][1]
    for period in found:
        assert window_of(kind, period[1]) == period
        assert preceding(period)[1] == period[0]
        if kind != "iso_week":
            assert calendar_unit(period) == {"half_month": "half"}.get(kind, kind)


@given(st.dates(date(1950, 1, 1), date(2150, 1, 1)), st.sampled_from(PERIODS))
def test_whole_windows_compare_with_what_touches_them_or_lies_a_year_back(day, kind):
    whole = window_of(kind, day)
    assert whole[1] <= day < window_of(kind, day, complete=False)[1]
    now, before, days, days_before = comparison_window(whole, kind)
    assert now == whole
    assert (days, days_before) == ((now[1] - now[0]).days, (before[1] - before[0]).days)
    assert days_before > 0 and abs(days - days_before) <= 3
    if kind == "year_to_date":
        assert (before[0].year, before[0].month, before[0].day) == (now[0].year - 1, 1, 1)
        assert before[1] <= now[0]
    else:
        assert before[1] == now[0]


def test_every_kind_is_known():
    for kind in KINDS:
        whole = window_of(kind if kind in PERIODS else "iso_week", date(2026, 3, 2))
        options = {"spring_festival": {"spring_festivals": FESTIVALS}, "free": {"against": whole}}
        assert comparison_window(whole, kind, **options.get(kind, {})).kind == kind
