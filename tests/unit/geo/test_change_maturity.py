"""Reporting delays, days not all in yet, and counts at equal maturity: loops, planted delays and noise."""

from datetime import date, datetime, timedelta

import numpy as np
import pytest

from geo.change import equal_maturity_counts, immature_from, maturity_cutoffs, poisson_e_test, reporting_delay

AS_OF = datetime(2026, 11, 17, 12)
WEEKS = [(date(2026, 11, 9), date(2026, 11, 16)), (date(2026, 11, 2), date(2026, 11, 9))]


def _late_records(rng, per_day, days, mean_delay):
    """Events of the days before AS_OF with exponential delays; those not recorded yet are not there."""
    events = rng.poisson(per_day * days)
    occurred = np.datetime64(AS_OF, "s") - (rng.random(events) * days * 86400).astype("timedelta64[s]")
    recorded = occurred + (rng.exponential(mean_delay, events) * 86400).astype("timedelta64[s]")
    known = recorded <= np.datetime64(AS_OF, "s")
    return occurred[known], recorded[known]


def test_the_delay_is_a_planted_one_and_not_that_of_the_quick_ones():
    occurred, recorded = _late_records(np.random.default_rng(1), 60, 200, 8.0)
    found = reporting_delay(occurred, recorded, AS_OF)
    assert found.days == pytest.approx(8 * np.log(20), rel=0.06)  # 95 % of an exponential
    young = occurred > np.datetime64(AS_OF - timedelta(days=30), "s")
    all_seen = np.quantile((recorded[young] - occurred[young]).astype(float) / 86400, 0.95)
    assert all_seen < 0.75 * found.days  # of young events only the quick ones are in
    assert found.events + found.too_young == len(occurred)


def test_the_quantile_is_an_observed_delay_that_19_of_20_do_not_exceed():
    occurred = np.full(40, np.datetime64("2026-01-01"))
    delays = np.arange(1, 41)
    found = reporting_delay(occurred, occurred + delays, AS_OF)
    assert tuple(found) == (38.0, 40)
    assert (delays <= 38).sum() == 0.95 * 40
    assert reporting_delay(occurred, occurred + delays, AS_OF, share=0.5).days == 20
    shuffled = np.random.default_rng(2).permutation(delays)
    assert reporting_delay(occurred, occurred + shuffled, AS_OF).days == 38


def test_what_a_delay_leaves_out_is_counted():
    occurred = np.array(["2026-01-01"] * 30 + ["2026-11-16", "2026-01-01", "NaT", "2026-01-02"], dtype="datetime64[s]")
    recorded = np.array(["2026-01-03"] * 30 + ["2026-11-17", "2026-10-01", "2026-01-01", "2026-01-01"], "datetime64[s]")
    found = reporting_delay(occurred, recorded, AS_OF)
    assert (found.events, found.too_young, found.unknown, found.early) == (31, 2, 1, 1)
    assert found.days == 2
    few = reporting_delay(occurred[:19], recorded[:19], AS_OF)
    assert np.isnan(few.days) and few.note == "满 90 天的事件只有 19 起，不足 20 起，报送时延未知"
    assert np.isnan(reporting_delay([], [], AS_OF).days)


@pytest.mark.parametrize(
    ("as_of", "delay", "first"),
    [
        (datetime(2026, 11, 16), 0, date(2026, 11, 16)),
        (datetime(2026, 11, 16), 3.5, date(2026, 11, 12)),
        (datetime(2026, 11, 16, 11, 59), 0.5, date(2026, 11, 15)),
        (datetime(2026, 11, 16, 12), 0.5, date(2026, 11, 16)),
        (datetime(2026, 3, 1), 1, date(2026, 2, 28)),
    ],
)
def test_the_first_day_that_is_not_all_in(as_of, delay, first):
    assert immature_from(as_of, delay) == first
    # A day is all in when even its last moment is older than the delay.
    for offset in range(-3, 3):
        day = first + timedelta(days=offset)
        end = datetime(day.year, day.month, day.day) + timedelta(days=1)
        assert (end + timedelta(days=delay) <= as_of) == (day < first)


def test_cutoffs_see_every_window_at_the_same_age():
    assert maturity_cutoffs(WEEKS, AS_OF) == (AS_OF, datetime(2026, 11, 10, 12))
    assert maturity_cutoffs(WEEKS[::-1], AS_OF) == (datetime(2026, 11, 10, 12), AS_OF)
    half_way = datetime(2026, 11, 12, 6)  # the current week is not over: the one before is cut at the same moment
    assert maturity_cutoffs(WEEKS, half_way) == (half_way, datetime(2026, 11, 5, 6))


def test_counts_equal_loops():
    rng = np.random.default_rng(3)
    occurred, recorded = _late_records(rng, 20, 30, 4.0)
    recorded[rng.random(len(recorded)) < 0.05] = np.datetime64("NaT")
    windows = [*WEEKS, (date(2026, 10, 20), date(2026, 11, 1))]
    found = equal_maturity_counts(occurred, recorded, windows, AS_OF)
    for i, ((start, end), cutoff) in enumerate(zip(windows, found.cutoffs, strict=True)):
        inside = [(o, r) for o, r in zip(occurred.tolist(), recorded.tolist(), strict=True) if start <= o.date() < end]
        assert found.recorded[i] == len(inside)
        assert found.counts[i] == sum(r is None or r <= cutoff for _, r in inside)
        assert found.unknown[i] == sum(r is None for _, r in inside)
    assert found.seen_after_days == 1.5
    counts, all_recorded = found
    assert (counts <= all_recorded).all() and counts[0] == all_recorded[0]
    order = rng.permutation(len(occurred))
    assert equal_maturity_counts(occurred[order], recorded[order], windows, AS_OF).counts.tolist() == counts.tolist()


def test_windows_are_half_open_and_what_was_recorded_after_the_reading_is_unknown():
    occurred = ["2026-11-09T00:00:00", "2026-11-15T23:59:59", "2026-11-16T00:00:00", "2026-11-10T00:00:00"]
    recorded = ["2026-11-10", "2026-11-16", "2026-11-16", "2026-11-18"]
    assert equal_maturity_counts(occurred, recorded, WEEKS[:1], AS_OF).recorded.tolist() == [2]
    assert equal_maturity_counts([], [], WEEKS, AS_OF).counts.tolist() == [0, 0]


def test_equal_maturity_takes_away_the_false_fall_of_late_records():
    rng, runs, mature, plain = np.random.default_rng(4), 400, [], []
    for _ in range(runs):
        found = equal_maturity_counts(*_late_records(rng, 15, 21, 3.0), WEEKS, AS_OF)
        mature.append(found.counts)
        plain.append(found.recorded)
    flagged, falsely = (
        (poisson_e_test(now, 7, before, 7).p < 0.05).mean()
        for now, before in (np.transpose(mature), np.transpose(plain))
    )
    assert flagged <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)
    assert falsely > 0.2


def test_impossible_input_is_refused():
    with pytest.raises(ValueError, match="recorded has 1 events, expected the 2"):
        reporting_delay(["2026-01-01"] * 2, ["2026-01-01"], AS_OF)
    with pytest.raises(ValueError, match="recorded has 1 events, expected the 2"):
        equal_maturity_counts(["2026-01-01"] * 2, ["2026-01-01"], WEEKS, AS_OF)
    with pytest.raises(ValueError, match="occurred is missing for 1 events"):
        equal_maturity_counts(["2026-01-01", "NaT"], ["2026-01-01"] * 2, WEEKS, AS_OF)
    with pytest.raises(ValueError, match="windows is empty"):
        equal_maturity_counts([], [], [], AS_OF)
    with pytest.raises(ValueError, match="share is 0"):
        reporting_delay([], [], AS_OF, share=0)
    with pytest.raises(ValueError, match="horizon_days is 0"):
        reporting_delay([], [], AS_OF, horizon_days=0)
    with pytest.raises(ValueError, match="delay_days is nan"):
        immature_from(AS_OF, float("nan"))
    with pytest.raises(ValueError, match="shape"):
        reporting_delay([["2026-01-01"]], [["2026-01-01"]], AS_OF)
