"""Hour of the week from spans: brute force minute by minute, real thefts, rules for missing, reversed and long spans."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.spacetime.aoristic import aoristic

MONDAY = pd.Timestamp("2024-01-01")


def by_minutes(start, end) -> np.ndarray:
    """Every minute of every span counted in its hour."""
    out = np.zeros((7, 24))
    for first, last in zip(pd.DatetimeIndex(start), pd.DatetimeIndex(end), strict=True):
        if pd.isna(last) or last <= first:
            out[first.weekday(), first.hour] += 1
        elif last - first > pd.Timedelta(days=7):
            out += 1 / 168
        else:
            minutes = pd.date_range(first, last, freq="min", inclusive="left")
            np.add.at(out, (minutes.day_of_week, minutes.hour), 1 / len(minutes))
    return out


@pytest.fixture(scope="module")
def thefts(real_data) -> pd.DataFrame:
    return pd.read_csv(real_data / "nyc/vehicle_thefts_2014_2017.csv.gz", parse_dates=["date_start", "date_end"])


def test_thefts_equal_the_minutes(thefts):
    some = thefts.sample(1500, random_state=1)
    found = aoristic(some.date_start, some.date_end)
    assert np.allclose(found.weights, by_minutes(some.date_start, some.date_end), atol=1e-9)


def test_all_thefts(thefts):
    weights, n = found = aoristic(thefts.date_start, thefts.date_end)
    assert n == len(thefts) == 35_746 and weights.shape == (7, 24)
    assert weights.sum() == pytest.approx(n, abs=1e-6)
    span = thefts.date_end - thefts.date_start
    assert found.missing_end == thefts.date_end.isna().sum() == 2_852
    assert found.exact == (span == pd.Timedelta(0)).sum()
    assert found.reversed == (span < pd.Timedelta(0)).sum() == 0
    assert found.over_week == (span > pd.Timedelta(days=7)).sum() > 2_000
    assert found.note == "2852起无结束时间，按开始时间计；2842起跨度超过一周，平均分到各小时"
    # Cars go at night: the known pattern, and that of the thefts whose hour is certain.
    sure = thefts[span.between(pd.Timedelta(0), pd.Timedelta(hours=1))]
    exact = np.bincount(sure.date_start.dt.hour, minlength=24)
    hours = weights.sum(axis=0)
    assert hours[:6].sum() > 1.5 * hours[9:15].sum()
    assert len(sure) > 5_000 and exact.sum() == len(sure)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20_000), st.integers(-500, 13_000), st.booleans()), max_size=8))
def test_any_spans_equal_the_minutes(rows):
    start = [MONDAY + pd.Timedelta(minutes=row[0]) for row in rows]
    end = [pd.NaT if row[2] else begin + pd.Timedelta(minutes=row[1]) for row, begin in zip(rows, start, strict=True)]
    found = aoristic(pd.DatetimeIndex(start), pd.DatetimeIndex(end))
    assert np.allclose(found.weights, by_minutes(start, end), atol=1e-9)
    assert found.weights.sum() == pytest.approx(len(rows)) and (found.weights >= 0).all()


def one(start, end):
    return aoristic(pd.DatetimeIndex([start]), pd.DatetimeIndex([end]))


def test_rules_of_the_edges():
    # The end is not part of the span: an hour sharp stays in its hour.
    assert one("2024-01-02 10:00", "2024-01-02 11:00").weights[1, 10] == 1
    split = one("2024-01-07 23:00", "2024-01-08 01:00").weights
    assert split[6, 23] == split[0, 0] == 0.5
    seconds = one("2024-01-03 08:59:30", "2024-01-03 09:01:00").weights
    assert seconds[2, 8] == pytest.approx(1 / 3) and seconds[2, 9] == pytest.approx(2 / 3)
    week = one("2024-01-03 08:30", "2024-01-10 08:30")
    assert np.allclose(week.weights, 1 / 168) and week.over_week == 0 and week.note == ""
    longer = one("2024-01-03 08:30", "2024-01-10 08:31")
    assert np.allclose(longer.weights, 1 / 168) and longer.over_week == 1 and "超过一周" in longer.note
    almost = one("2024-01-03 08:30", "2024-01-10 08:29").weights
    assert almost[2, 8] == pytest.approx(59 / (168 * 60 - 1)) and almost.sum() == pytest.approx(1)


def test_missing_and_reversed_ends_go_to_the_start():
    start = pd.DatetimeIndex(["2024-01-01 05:20", "2024-01-01 05:40", "2024-01-01 05:59"])
    end = pd.DatetimeIndex([pd.NaT, "2023-12-31 20:00", "2024-01-01 05:59"])
    found = aoristic(start, end)
    assert found.weights[0, 5] == 3 == found.weights.sum()
    assert (found.missing_end, found.reversed, found.exact, found.over_week) == (1, 1, 1, 0)
    assert found.note == "1起无结束时间、1起结束早于开始，按开始时间计"


def test_order_doubling_and_a_week_later_do_not_matter(thefts):
    some = thefts.head(3000)
    base = aoristic(some.date_start, some.date_end).weights
    mixed = some.sample(frac=1, random_state=3)
    assert np.allclose(aoristic(mixed.date_start, mixed.date_end).weights, base)
    twice = pd.concat([some, some])
    assert np.allclose(aoristic(twice.date_start, twice.date_end).weights, 2 * base)
    later = pd.Timedelta(days=7 * 520)
    assert np.allclose(aoristic(some.date_start + later, some.date_end + later).weights, base)
    day = pd.Timedelta(days=1)
    assert np.allclose(aoristic(some.date_start + day, some.date_end + day).weights, np.roll(base, 1, axis=0))


def test_zone_is_wall_clock_and_units_do_not_matter(thefts):
    some = thefts.head(500)
    base = aoristic(some.date_start, some.date_end).weights
    zoned = aoristic(some.date_start.dt.tz_localize("Asia/Shanghai"), some.date_end.dt.tz_localize("Asia/Shanghai"))
    assert np.array_equal(zoned.weights, base)
    nano = aoristic(some.date_start.to_numpy("datetime64[ns]"), some.date_end.to_numpy("datetime64[ns]"))
    assert np.array_equal(nano.weights, base)
    before_1970 = one("1969-12-29 10:30", "1969-12-29 12:00").weights  # a Monday
    assert before_1970[0, 10] == pytest.approx(1 / 3) and before_1970[0, 11] == pytest.approx(2 / 3)


def test_empty_and_bad_input():
    assert aoristic([], []).n == 0
    assert aoristic([MONDAY, MONDAY], [np.nan, np.nan]).missing_end == 2  # a column read as all missing
    nothing = aoristic(pd.DatetimeIndex([]), pd.DatetimeIndex([]))
    assert nothing.n == 0 and nothing.weights.shape == (7, 24) and nothing.weights.sum() == 0 and nothing.note
    for start, end, message in [
        ([pd.NaT, MONDAY], [MONDAY, MONDAY], "start has 1 of 2 events without a moment"),
        ([MONDAY], [MONDAY, MONDAY], "start has 1 events and end has 2"),
        ([1.5], [MONDAY], "start holds float64 values, expected moments"),
        ([MONDAY], [3], "end holds int64 values, expected moments"),
        ([[MONDAY]], [MONDAY], r"start has shape \(1, 1\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            aoristic(start, end)
    with pytest.raises(ValueError):
        one(MONDAY, MONDAY).weights[0, 0] = 2
