"""data.selection: parsing, round trip, windows; each rule of the design against the calendar written out."""

from datetime import date, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.schema import CATEGORIES
from data.selection import (
    ParameterError,
    Selection,
    calendar_unit,
    compare_window,
    default_window,
    parse_period,
    parse_selection,
    preceding,
)

WEEK = (date(2026, 11, 9), date(2026, 11, 16))


def parse(*pairs):
    return parse_selection(pairs, WEEK)


def test_nothing_given_is_the_default_window_compared_with_the_one_before():
    selection = parse()
    assert (selection.start, selection.end) == WEEK
    assert selection.compare_window == (date(2026, 11, 2), date(2026, 11, 9))
    assert selection.counted_categories == ("刑事", "治安", "交通", "火灾", "纠纷", "求助", "其他")


def test_invalid_counts_only_where_named():
    assert parse(("category", "无效")).counted_categories == ("无效",)
    assert parse(("category", "无效"), ("category", "刑事")).counted_categories == ("刑事", "无效")


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("18-23", {18, 19, 20, 21, 22, 23}),
        ("22-5", {22, 23, 0, 1, 2, 3, 4, 5}),
        ("8-8", {8}),
        ("0-23", set(range(24))),
        ("5-4", set(range(24))),
    ],
)
def test_hours_include_both_ends_and_wrap(text, hours):
    assert set(parse(("hours", text)).counted_hours) == hours


@pytest.mark.parametrize(
    ("pair", "allowed"),
    [
        (("foo", "1"), "area from to compare category hours weekdays polygon"),
        (("from", "2026-11-9"), "日期"),
        (("from", "2026-02-30"), "日期"),
        (("compare", "last_week"), "previous last_year none"),
        (("compare", "2026-11-02..2026-11-01"), "早于"),
        (("compare", "2026-11-02..x"), "日期"),
        (("category", "盗窃"), "刑事 治安"),
        (("hours", "24-3"), "0 至 23"),
        (("hours", "18"), "0 至 23"),
        (("weekdays", "0,1"), "1（周一）"),
        (("weekdays", "1,,2"), "1（周一）"),
        (("polygon", "POINT(1 2)"), "WKT"),
        (("polygon", "nonsense"), "WKT"),
        (("polygon", "POLYGON EMPTY"), "WKT"),
        (("polygon", "POLYGON((0 0,1 1,1 0,0 1,0 0))"), "WKT"),
        (("polygon", "POLYGON((0 0,200 0,200 1,0 0))"), "经度"),
        (("area", ""), "代码"),
        (("hours", "１-２"), "0 至 23"),
    ],
)
def test_what_is_not_allowed_names_parameter_value_and_what_is(pair, allowed):
    pairs = [pair] if pair[0] != "from" else [pair, ("to", "2026-12-01")]
    with pytest.raises(ParameterError, match=allowed) as fault:
        parse(*pairs)
    assert (fault.value.parameter, fault.value.value) == pair


def test_half_a_window_an_empty_one_and_a_repeated_name_are_refused():
    with pytest.raises(ParameterError, match="同时给出"):
        parse(("from", "2026-11-09"))
    with pytest.raises(ParameterError, match="晚于"):
        parse(("from", "2026-11-09"), ("to", "2026-11-09"))
    with pytest.raises(ParameterError, match="只能出现一次"):
        parse(("hours", "1-2"), ("hours", "1-2"))


def test_a_comparison_that_leaves_the_calendar_is_refused():
    with pytest.raises(ParameterError, match="对比时段"):
        parse(("from", "1900-01-01"), ("to", "2200-01-01"), ("compare", "previous"))


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-W46", "2026-11-09", "2026-11-16"),
        ("2026-W01", "2025-12-29", "2026-01-05"),
        ("2026-W53", "2026-12-28", "2027-01-04"),
        ("2026-11", "2026-11-01", "2026-12-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2026-11-H1", "2026-11-01", "2026-11-16"),
        ("2024-02-H2", "2024-02-16", "2024-03-01"),
        ("2026-Q3", "2026-07-01", "2026-10-01"),
        ("2026-Q4", "2026-10-01", "2027-01-01"),
        ("2026", "2026-01-01", "2027-01-01"),
        ("2026-11-01..2026-11-16", "2026-11-01", "2026-11-16"),
    ],
)
def test_periods(text, start, end):
    assert parse_period(text) == (date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize(
    "text", ["2025-W53", "2026-13", "2026-Q5", "2026-11-H3", "26", "2026-W00", "x", "0001", "9999"]
)
def test_periods_that_do_not_exist(text):
    with pytest.raises(ParameterError, match="2026-W46"):
        parse_period(text)


@pytest.mark.parametrize(
    ("window", "previous"),
    [
        ("2026-03", "2026-02"),
        ("2026-01", "2025-12"),
        ("2026-Q1", "2025-Q4"),
        ("2026", "2025"),
        ("2026-11-H1", "2026-10-H2"),
        ("2026-11-H2", "2026-11-H1"),
        ("2026-03-H1", "2026-02-H2"),
        ("2026-W46", "2026-W45"),
        ("2026-11-02..2026-11-05", "2026-10-30..2026-11-02"),
        ("2026-01-01..2026-03-01", "2025-11-03..2026-01-01"),  # two months are no whole one: the same number of days
    ],
)
def test_previous(window, previous):
    assert compare_window(parse_period(window), "previous") == parse_period(previous)


@pytest.mark.parametrize(
    ("window", "last_year"),
    [
        ("2026-W46", "2025-W46"),
        ("2026-W53", "2025-W52"),
        ("2026-11-02..2026-11-16", "2025-11-03..2025-11-17"),  # W45 and W46
        ("2026-11", "2025-11"),
        ("2024-02", "2023-02"),
        ("2025-02", "2024-02"),
        ("2024-02-29..2024-03-02", "2023-02-28..2023-03-02"),
        ("2024-02-28..2024-02-29", "2023-02-28..2023-03-01"),
    ],
)
def test_last_year(window, last_year):
    assert compare_window(parse_period(window), "last_year") == parse_period(last_year)


def test_no_comparison_and_a_free_one():
    assert compare_window(WEEK, "none") is None
    assert parse(("compare", "2026-10-01..2026-11-01")).compare_window == (date(2026, 10, 1), date(2026, 11, 1))


@pytest.mark.parametrize(
    ("as_of", "start"),
    [
        ("2026-11-16T00:00:00", "2026-11-09"),
        ("2026-11-15T23:59:59", "2026-11-02"),
        ("2026-11-18T12:00:00", "2026-11-09"),
    ],
)
def test_default_window_is_the_last_complete_iso_week(as_of, start):
    window = default_window(datetime.fromisoformat(as_of))
    assert window == (date.fromisoformat(start), date.fromisoformat(start) + timedelta(days=7))


@pytest.mark.parametrize(("as_of", "month"), [("2026-11-30T23:00:00", "2026-10"), ("2026-12-01T00:00:00", "2026-11")])
def test_default_window_of_monthly_sources_is_the_last_complete_month(as_of, month):
    assert default_window(datetime.fromisoformat(as_of), monthly=True) == parse_period(month)


days = st.dates(date(1950, 1, 1), date(2150, 1, 1))


@st.composite
def selections(draw):
    start = draw(days)
    end = start + timedelta(days=draw(st.integers(1, 800)))
    first = draw(days)
    free = f"{first}..{first + timedelta(days=draw(st.integers(1, 400)))}"
    west, south = draw(st.integers(-170, 170)), draw(st.integers(-80, 80))
    box = f"POLYGON (({west} {south}, {west + 2} {south}, {west + 1} {south + 3}, {west} {south}))"
    chosen = draw(st.sets(st.sampled_from(CATEGORIES)))
    return Selection(
        start=start,
        end=end,
        area=draw(st.none() | st.text(min_size=1, max_size=12)),
        compare=draw(st.sampled_from(["previous", "last_year", "none", free])),
        categories=tuple(c for c in CATEGORIES if c in chosen),
        hours=draw(st.none() | st.tuples(st.integers(0, 23), st.integers(0, 23))),
        weekdays=tuple(sorted(draw(st.sets(st.integers(1, 7))))),
        polygon=draw(st.none() | st.just(box)),
    )


@given(selections())
def test_query_round_trip(selection):
    pairs = parse_qsl(selection.to_query(), keep_blank_values=True, strict_parsing=True)
    assert parse_selection(pairs, WEEK) == selection
    assert parse_selection(reversed(pairs), WEEK) == selection


@given(days, st.integers(1, 800))
def test_the_preceding_period_touches_the_window_and_is_of_its_kind(start, length):
    window = (start, start + timedelta(days=length))
    before = preceding(window)
    assert before[1] == start
    assert before[0] < before[1]
    unit = calendar_unit(window)
    if unit == "days":
        assert before[1] - before[0] == window[1] - window[0]
    else:
        assert calendar_unit(before) == unit


@given(days, st.integers(1, 60), st.sampled_from(["previous", "last_year"]))
def test_compared_windows_are_never_empty(start, length, compare):
    first, last = compare_window((start, start + timedelta(days=length)), compare)
    assert first < last
    assert first < start


@given(st.integers(1901, 2199), st.integers(1, 52))
def test_weeks_of_last_year_have_the_same_number(year, week):
    start = date.fromisocalendar(year, week, 1)
    first, last = compare_window((start, start + timedelta(days=7)), "last_year")
    assert first.isocalendar()[:2] == (year - 1, week)
    assert (last - first).days == 7
