"""data.store.band: the limits against the published formula written out, and what leaves a step without them."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
import small_release as small

from data.release_info import SourceInfo
from data.schema import INVALID
from data.selection import Selection
from data.store import OutsideScope, Scope, Store, trend, trend_band

ALL = Scope.everything()
SPREAD = 1 + 1 / 8  # variance of a step around the mean of eight, on the root scale [Anscombe1948]
WEEK = (date(2026, 11, 9), date(2026, 11, 16))


@pytest.fixture(scope="module")
def frame():
    """A burst on one day: forty events at one place."""
    table = small.incidents(14_000, seed=21)
    burst = pd.Timestamp("2026-11-12 20:00")
    rows = table[(table["category"] == "治安") & table["grid_code"].notna()].head(40)
    return pd.concat([table, rows.assign(occurred_from=burst, occurred_to=pd.NaT,
                                         incident_id=[f"B{i}" for i in range(40)])])  # fmt: skip


@pytest.fixture(scope="module")
def release(tmp_path_factory, frame):
    yield from opened(tmp_path_factory.mktemp("band"), frame)


def opened(directory, frame, **more):
    small.publish(directory, frame, **more)
    store = Store(directory)
    with store.current() as release:
        yield release
    store.close()


def daily(frame, **kept) -> pd.Series:
    """Events a day of what counts by default, every day present."""
    rows = frame[frame["category"] != INVALID]
    for name, value in kept.items():
        rows = rows[rows[name] == value]
    days = pd.date_range(small.FIRST, "2026-11-15")
    return rows["occurred_from"].dt.normalize().value_counts().reindex(days, fill_value=0)


def written_out(series, wanted: int, before: list[int]):
    """Lower, mean, upper of one step of a series, the steps before it all complete.

    ``before`` are the positions of the steps of the history that were judged, for the dispersion.
    """
    y = 2 * np.sqrt(np.asarray(series, dtype=float))
    z = [(y[i] - y[i - 8 : i].mean()) / np.sqrt(SPREAD) for i in before]
    phi = max(1.0, float(np.mean(np.square(z))))
    centre, half = y[wanted - 8 : wanted].mean(), 3 * np.sqrt(SPREAD * phi)
    lower = (max(centre - half, 0) / 2) ** 2
    return lower if lower >= 1 else 0.0, (centre / 2) ** 2, ((centre + half) / 2) ** 2, phi


def test_a_week_is_measured_against_the_eight_before(release, frame):
    week = daily(frame).resample("W-MON", label="left", closed="left").sum()
    answer = trend_band(release, Selection(date(2026, 8, 31), date(2026, 11, 16)), ALL, "week")
    rows = answer.rows.to_pylist()
    assert [row["start"] for row in rows] == [str(day.date()) for day in week.index[-11:]]
    first = len(week) - 11
    history = range(first - 52 + 8, first)
    for k, row in enumerate(rows):
        lower, mean, upper, phi = written_out(week, first + k, history)
        assert (row["lower"], row["mean"], row["upper"]) == pytest.approx((lower, mean, upper))
        wanted = "above" if week.iloc[first + k] > upper else "below" if week.iloc[first + k] < lower else None
        assert row["outside"] == wanted
    assert answer.meta["band"]["dispersion"] == pytest.approx(phi)
    assert answer.meta["band"]["periods"] == 44 and answer.meta["reason"] is None


def test_a_day_is_measured_against_its_own_weekday_and_a_burst_stands_out(release, frame):
    day = daily(frame, category="治安")
    answer = trend_band(release, Selection(*WEEK, categories=("治安",)), ALL, "day")
    rows = answer.rows.to_pylist()
    first = len(day) - 7
    z = []
    for phase in range(7):  # 26 weeks back, each weekday by itself
        own = 2 * np.sqrt(day.iloc[first + phase - 26 * 7 : first : 7].to_numpy(float))
        z += [(own[i] - own[i - 8 : i].mean()) / np.sqrt(SPREAD) for i in range(8, 26)]
    phi = max(1.0, float(np.mean(np.square(z))))
    for k, row in enumerate(rows):
        own = 2 * np.sqrt(day.iloc[first + k - 56 : first + k : 7].to_numpy(float))
        upper = ((own.mean() + 3 * np.sqrt(SPREAD * phi)) / 2) ** 2
        assert (row["mean"], row["upper"]) == pytest.approx(((own.mean() / 2) ** 2, upper))
    assert [row["outside"] for row in rows] == [None, None, None, "above", None, None, None]
    assert answer.meta["band"]["season"] == "weekday" and answer.meta["band"]["periods"] == 7 * 18


def test_months_are_compared_as_months_of_equal_length(release, frame):
    month = daily(frame).resample("MS").sum().iloc[1:]  # January 2025 is not whole
    answer = trend_band(release, Selection(date(2026, 1, 1), date(2026, 11, 1)), ALL, "month")
    rows = answer.rows.to_pylist()
    days = month.index.days_in_month.to_numpy()[:-1]
    length = days / days.mean()
    standard = np.rint(month.to_numpy()[:-1] / length)
    first = list(month.index).index(pd.Timestamp("2026-01-01"))
    for k, row in enumerate(rows):
        centre = (2 * np.sqrt(standard))[first + k - 8 : first + k].mean()
        assert row["mean"] == pytest.approx((centre / 2) ** 2 * length[first + k])
        assert row["upper"] == pytest.approx(((centre + 3 * np.sqrt(SPREAD)) / 2) ** 2 * length[first + k])
    assert not answer.meta["band"]["estimated"]  # three months before have eight before them, too few for a dispersion
    february, march = rows[1]["mean"], rows[2]["mean"]
    assert february < 0.95 * march  # three days shorter


def test_later_steps_do_not_move_a_band(release):
    long = trend_band(release, Selection(date(2026, 8, 3), date(2026, 11, 16)), ALL, "week").rows.to_pylist()
    short = trend_band(release, Selection(date(2026, 8, 3), date(2026, 8, 31)), ALL, "week").rows.to_pylist()
    assert long[:4] == short


def test_a_cut_step_and_a_weekday_left_out_have_no_band(release):
    rows = trend_band(release, Selection(date(2026, 10, 7), date(2026, 11, 12)), ALL, "week").rows.to_pylist()
    assert [row["mean"] is None for row in rows] == [True, False, False, False, False, True]
    assert rows[0]["outside"] is None and rows[0]["start"] == "2026-10-05"
    days = trend_band(release, Selection(*WEEK, weekdays=(1, 3)), ALL, "day").rows.to_pylist()
    assert [row["mean"] is not None for row in days] == [True, False, True, False, False, False, False]


def test_a_week_that_is_not_over_has_a_band_and_no_judgement(release):
    rows = trend_band(release, Selection(date(2026, 11, 9), date(2026, 11, 23)), ALL, "week").rows.to_pylist()
    assert rows[1]["upper"] > 0 and rows[1]["outside"] is None


def test_too_few_complete_steps_give_no_band_and_the_reason(release):
    early = trend_band(release, Selection(date(2025, 2, 3), date(2025, 2, 17)), ALL, "week")
    assert early.rows["mean"].null_count == 2 and early.meta["reason"] == "too_few"
    assert not early.meta["band"]["estimated"] and early.meta["band"]["dispersion"] == 1.0
    ninth = trend_band(release, Selection(date(2025, 3, 3), date(2025, 3, 10)), ALL, "week")
    assert ninth.rows["mean"].null_count == 0 and ninth.meta["reason"] is None


def test_weeks_without_their_reports_are_neither_base_nor_judged(tmp_path, frame):
    sources = (SourceInfo("wg", "incident", ("wg.csv",), 1, "week", 2, "minute", None, small.AS_OF),)
    streets = sorted(small.grids()["street_code"].unique())
    gaps = {(street, week): "missing" for street in streets[:2] for week in (88, 90, 96)}
    own = frame[frame["source_id"] == "wg"]
    for release in opened(tmp_path, own, sheet=small.weekly_sheet(gaps), stated=small.info(sources=sources)):
        selection = Selection(date(2026, 11, 2), date(2026, 11, 16))
        rows = trend_band(release, selection, ALL, "week").rows.to_pylist()
        week = daily(own).resample("W-MON", label="left", closed="left").sum()
        base = [i for i in range(80, 95) if i not in (88, 90)][-8:]
        assert rows[0]["mean"] == pytest.approx((np.sqrt(week.iloc[base]).mean()) ** 2)
        assert rows[1]["mean"] is not None and rows[1]["outside"] is None
        whole = trend_band(release, Selection(selection.start, selection.end, area=streets[4]), ALL, "week")
        one = daily(own, street_code=streets[4]).resample("W-MON", label="left", closed="left").sum()
        assert whole.rows["mean"][0].as_py() == pytest.approx((np.sqrt(one.iloc[87:95]).mean()) ** 2)


def test_the_band_belongs_to_the_trend_it_is_drawn_behind(release):
    for selection, step in ((Selection(*WEEK, hours=(18, 23)), "day"), (Selection(date(2026, 5, 1), date(2026, 8, 1)), "week"),
                            (Selection(date(2025, 1, 1), date(2026, 1, 1), area="990102"), "month")):  # fmt: skip
        starts = trend(release, selection, ALL, step).rows["start"].unique().to_pylist()
        assert trend_band(release, selection, ALL, step).rows["start"].to_pylist() == starts


def test_comparison_is_no_part_of_it_and_the_scope_is(release, frame):
    selection = Selection(*WEEK)
    plain, other = (trend_band(release, Selection(*WEEK, compare=c), ALL, "day") for c in ("none", "last_year"))
    assert plain.rows == other.rows and other.meta["selection"]["compare"] == "last_year"
    inside = trend_band(release, selection, Scope(("990101",)), "day").rows
    assert inside == trend_band(release, Selection(*WEEK, area="990101"), ALL, "day").rows
    with pytest.raises(OutsideScope):
        trend_band(release, Selection(*WEEK, area="990102"), Scope(("990101",)), "day")
