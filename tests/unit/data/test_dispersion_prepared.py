"""What is counted at publication against the raw rows: the tables, the dispersion, and every answer built on them."""

import random
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
import small_release as small

from data.index import DAY_COUNT, FILE_NAME, PERIOD_COUNT, unpack_counts
from data.schema import CATEGORIES
from data.selection import Selection
from data.store import Scope, counts, profile, trend
from data.store.baseline import level_dispersion
from data.store.changes import changes
from data.store.facets import facets, without_unit
from data.store.inside import inside
from data.store.polygons import _inside, polygon_number

EVERYTHING = Scope.everything()
GRIDS = small.grids()
CODES = {level: sorted(GRIDS[f"{level}_code"].unique()) for level in small.LEVELS}


@contextmanager
def open_release(directory, frame=None, **published):
    if frame is not None:
        small.publish(directory, frame, **published)
    with small.opened(directory) as release:
        yield release


@pytest.fixture(scope="module")
def frame():
    return small.incidents()


@pytest.fixture(scope="module")
def gaps():
    """Weeks a few streets did not report, one week nobody did."""
    silent = {(CODES["street"][0], week): "missing" for week in (40, 41, 70)}
    silent |= {(street, 55): "missing" for street in CODES["street"]}
    return small.weekly_sheet(silent)


@pytest.fixture(scope="module")
def release(tmp_path_factory, frame, gaps):
    with open_release(tmp_path_factory.mktemp("releases"), frame, sheet=gaps) as opened:
        yield opened


@pytest.fixture(scope="module")
def older(tmp_path_factory, frame, gaps):
    """The same release as one made before anything was counted at publication."""
    directory = tmp_path_factory.mktemp("older")
    path = small.publish(directory, frame, sheet=gaps) / FILE_NAME
    with duckdb.connect(str(path)) as connection:
        for name in (DAY_COUNT, PERIOD_COUNT):
            connection.execute(f"DROP TABLE {name}")
    with open_release(directory) as opened:
        yield opened


# --- the tables ------------------------------------------------------------------------------------------------------


def published_table(directory, frame, name):
    path = small.publish(directory, frame) / FILE_NAME
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(f"SELECT * FROM {name}").df()


def test_days_add_up_to_the_incidents(tmp_path, frame):
    table = published_table(tmp_path, frame, DAY_COUNT)
    assert table["n"].sum() == len(frame)
    day = (frame["occurred_from"].dt.floor("D") - pd.Timestamp(0)).dt.days
    source = frame["source_id"].map({"jq": 0, "wg": 1})
    street = frame["street_code"].map({code: i for i, code in enumerate(CODES["street"])}).fillna(-1)
    category = frame["category"].map({name: i for i, name in enumerate(CATEGORIES)})
    expected = frame.groupby([day, category, source, street]).size()
    got = table.assign(street=table["street"].astype(float).fillna(-1)).set_index(
        ["day", "category", "source", "street"]
    )["n"]
    assert got.sort_index().to_dict() == expected.sort_index().to_dict()
    monday = table["day"] - (table["day"] + 3) % 7
    assert (table["week"] == monday).all()


@pytest.mark.parametrize("level", ["community", "grid"])
@pytest.mark.parametrize("kind", ["week", "half"])
def test_periods_hold_every_placed_incident(tmp_path, frame, level, kind):
    """Also counts that need two bytes, and one unit that has a week to itself."""
    first = frame[frame["grid_code"].notna()].iloc[0]
    crowd = pd.DataFrame([first] * 700).assign(incident_id=[f"X{i}" for i in range(700)])
    frame = pd.concat([frame, crowd], ignore_index=True)
    table = published_table(tmp_path, frame, PERIOD_COUNT)
    table = table[(table["level"] == level) & (table["kind"] == kind)]
    assert set(table["width"]) == {1, 2}
    placed = frame[frame["grid_code"].notna()]
    begin = placed["occurred_from"].dt.floor("D")
    if kind == "week":
        period = (begin - pd.to_timedelta(begin.dt.day_of_week, unit="D") - pd.Timestamp(0)).dt.days
    else:
        period = (begin.dt.year * 12 + begin.dt.month - 1) * 2 + (begin.dt.day > 15)
    expected = placed.groupby([period, "category", f"{level}_code"]).size().to_dict()
    got = {}
    for row in table.itertuples():
        for code, n in zip(CODES[level], unpack_counts(row.width, bytes(row.counts), len(CODES[level])), strict=True):
            if n:
                got[row.period, CATEGORIES[row.category], code] = n
    assert got == expected


def test_a_release_without_incidents_or_grids_opens(tmp_path, frame):
    with open_release(tmp_path / "none", frame.iloc[:0]) as release:
        assert counts(release, release.selection([]), EVERYTHING, "grid").rows["count"].null_count == len(GRIDS)
    bare = frame.iloc[:50].assign(grid_code=None, community_code=None, street_code=None, district_code=None)
    with open_release(tmp_path / "bare", bare, grid=GRIDS.iloc[:0], area=pd.DataFrame()) as release:
        year = Selection(date(2025, 1, 1), date(2027, 1, 1))
        assert changes(release, year, EVERYTHING).total.now == (bare["category"] != "无效").sum()
        assert counts(release, year, EVERYTHING, "grid").rows.num_rows == 0


# --- the dispersion --------------------------------------------------------------------------------------------------


def steps_back(start, end):
    """Windows before one, in plain pandas: months, halves and quarters by the calendar, anything else by its days."""
    months = {"month": 1, "quarter": 3, "year": 12}
    first, last = pd.Timestamp(start), pd.Timestamp(end)
    kind = next((name for name, n in months.items()
                 if first.day == last.day == 1 and first + pd.DateOffset(months=n) == last
                 and (name == "month" or first.month % n == 1)), None)  # fmt: skip
    half = (first.day, last.day) in ((1, 16), (16, 1)) and (last - first).days < 17
    length = last - first
    while True:
        if kind:
            first, last = first - pd.DateOffset(months=months[kind]), first
        elif half:
            first, last = (
                (first.replace(day=1) if first.day == 16 else (first - pd.DateOffset(months=1)).replace(day=16)),
                first,
            )
        else:
            first, last = first - length, first
        yield first, last


def reports_in(gaps, level, codes, start, end):
    """Which units have every weekly report of source wg that touches the window (jq is in every day)."""
    weeks = gaps[(pd.to_datetime(gaps["period_end"]) > start) & (pd.to_datetime(gaps["period_start"]) < end)]
    bad = set(weeks.loc[weeks["state"] == "missing", "area_code"])
    if level == "district":
        return np.array([not any(street.startswith(code) for street in bad) for code in codes])
    return np.array([code[:9] not in bad for code in codes])


def phi_by_pandas(frame, gaps, selection, level, pooled):
    """Overdispersion written out: chi2 of each unit against its own mean over its latest 52 complete periods."""
    codes = CODES[level]
    kept = frame[frame["category"].isin(selection.counted_categories) & frame[f"{level}_code"].notna()]
    compared = tuple(map(pd.Timestamp, selection.compare_window)) if selection.compare_window else None
    columns, days, complete = [], [], []
    for start, end in steps_back(selection.start, selection.end):
        if start < pd.Timestamp(small.FIRST):
            break
        if compared and start < compared[1] and compared[0] < end:
            continue
        inside_it = kept[(kept["occurred_from"] >= start) & (kept["occurred_from"] < end)]
        columns.append(inside_it[f"{level}_code"].value_counts().reindex(codes, fill_value=0).to_numpy())
        days.append((end - start).days)
        complete.append(reports_in(gaps, level, codes, start, end))
    chi2, df = [], []
    for i in range(len(codes)):
        use = [j for j in range(len(columns)) if complete[j][i]][:52]
        k, m = np.array([columns[j][i] for j in use], float), np.array([days[j] for j in use], float)
        if len(use) < 8 or k.sum() == 0:
            chi2.append(0.0), df.append(0)
            continue
        expected = k.sum() * m / m.sum()
        chi2.append(((k - expected) ** 2 / expected).sum()), df.append(len(use) - 1)
    chi2, df = np.array(chi2), np.array(df)
    if pooled:
        return np.full(len(codes), max(1.0, chi2.sum() / df.sum()) if df.sum() else 1.0)
    return np.maximum(1.0, np.divide(chi2, df, out=np.ones(len(codes)), where=df > 0))


WINDOWS = {
    "week": (date(2026, 11, 9), date(2026, 11, 16)),
    "two weeks": (date(2026, 10, 26), date(2026, 11, 9)),
    "half": (date(2026, 10, 16), date(2026, 11, 1)),
    "month": (date(2026, 10, 1), date(2026, 11, 1)),
    "quarter": (date(2026, 7, 1), date(2026, 10, 1)),
    "week from Wednesday": (date(2026, 10, 14), date(2026, 10, 21)),
    "three days": (date(2026, 10, 30), date(2026, 11, 2)),
    "31 days that meet whole months": (date(2026, 10, 10), date(2026, 11, 10)),
    "15 days that meet half-months": (date(2026, 10, 17), date(2026, 11, 1)),
}


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("level", small.LEVELS)
@pytest.mark.parametrize("categories", [(), ("交通", "无效")])
def test_phi_equals_pandas(release, frame, gaps, window, level, categories):
    selection = Selection(*WINDOWS[window], categories=categories)
    pooled = level != "district"
    found = level_dispersion(release, selection, EVERYTHING, level, pooled=pooled, restricted=False)
    expected = phi_by_pandas(frame, gaps, selection, level, pooled)
    assert found.phi == pytest.approx(expected, rel=1e-12)


def test_phi_of_a_scope_pools_its_own_units(release, frame, gaps):
    selection = Selection(*WINDOWS["week"])
    found = level_dispersion(release, selection, Scope(("990102",)), "grid", pooled=True, restricted=False)
    mine = frame[frame["district_code"] == "990102"]
    assert found.phi[0] == pytest.approx(phi_by_pandas(mine, gaps, selection, "grid", True)[0], rel=1e-12)


# --- every answer is the same without what was prepared --------------------------------------------------------------


def random_selection(rng):
    start = small.FIRST + timedelta(days=rng.randrange(300, 660))
    days = rng.choice([1, 3, 7, 14, 30, 31, 60])
    if rng.random() < 0.6:  # whole weeks or months
        start = start - timedelta(days=start.weekday()) if rng.random() < 0.5 else start.replace(day=1)
        days = 7 if start.day != 1 else days
    end = (
        (start + timedelta(days=32)).replace(day=1)
        if start.day == 1 and rng.random() < 0.8
        else start + timedelta(days=days)
    )
    x, y = small.WEST + rng.random() * 0.06, small.SOUTH + rng.random() * 0.04
    filters = {
        "area": rng.choice([None, None, None, "990100", *(rng.choice(codes) for codes in CODES.values())]),
        "compare": rng.choice(["previous", "previous", "last_year", "none", "2025-06-01..2025-07-04"]),
        "categories": tuple(name for name in CATEGORIES if rng.random() < 0.4) if rng.random() < 0.6 else (),
        "hours": (rng.randrange(24), rng.randrange(24)) if rng.random() < 0.2 else None,
        "weekdays": tuple(sorted(rng.sample(range(1, 8), 3))) if rng.random() < 0.2 else (),
        "polygon": shapely.Point(x, y).buffer(0.004 + rng.random() * 0.03, quad_segs=2).wkt
        if rng.random() < 0.2
        else None,
    }
    return Selection(start, end, **filters)


def answers(release, selection, scope):
    for level in small.LEVELS:
        found = counts(release, selection, scope, level)
        yield level, found.meta, found.rows.to_pydict(), without_unit(release, selection, scope, level)
    yield changes(release, selection, scope)
    for step in ("day", "week", "month"):
        yield trend(release, selection, scope, step).rows.to_pydict()
    found = profile(release, selection, scope)
    yield found.meta, found.rows.to_pydict(), facets(release, selection, scope)


@pytest.mark.parametrize("seed", range(25))
def test_answers_do_not_depend_on_what_was_prepared(release, older, seed):
    rng = random.Random(seed)
    selection = random_selection(rng)
    scope = EVERYTHING
    if rng.random() < 0.3:
        scope = Scope((rng.choice(CODES["district"]), rng.choice(CODES["community"])))
        selection = replace(selection, area=rng.choice([None, scope.areas[0]]))
    for one, other in zip(answers(release, selection, scope), answers(older, selection, scope), strict=True):
        assert repr(one) == repr(other)


# --- points in a polygon ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape",
    [
        shapely.box(0, 0, 1, 1),
        shapely.Point(3, 4).buffer(2, quad_segs=1),
        shapely.Point(0, 0).buffer(1).difference(shapely.Point(0, 0).buffer(0.5)),
        shapely.MultiPolygon([shapely.box(0, 0, 1, 3), shapely.box(2, 1, 5, 2)]),
        shapely.Polygon([(0, 0), (10, 0.001), (10, 0.0011), (0, 0.0001)]),
    ],
)
def test_points_in_a_polygon_are_those_shapely_finds(shape):
    rng = np.random.default_rng(1)
    west, south, east, north = shape.bounds
    x, y = rng.uniform(west, east, 20_000), rng.uniform(south, north, 20_000)
    # On the edges of the cells, on the border, at the corners.
    lattice = np.array(np.meshgrid(np.linspace(west, east, 65), np.linspace(south, north, 65))).reshape(2, -1)
    corners = shapely.get_coordinates(shape).T
    middle = np.array([(corners[:, :-1] + corners[:, 1:]) / 2]).reshape(2, -1)
    # Near the extent on every side, and far from it.
    wide, high = east - west, north - south
    beyond = rng.uniform(west - wide, east + wide, 20_000), rng.uniform(south - high, north + high, 20_000)
    far = np.array([(np.nan, 0.0), (0.0, np.nan), (np.inf, 34.72), (113.62, -np.inf), (1e300, 1e300), (0.0, 0.0)]).T
    x, y = (np.concatenate(parts) for parts in zip((x, y), lattice, corners, middle, beyond, far, strict=True))
    expected = shapely.intersects_xy(shapely.from_wkt(shape.wkt), x, y)  # writing a shape rounds it
    assert np.array_equal(inside(shape.wkt, x, y), expected)
    # As the database asks, a thousand points at a time, with null for what has no point.
    number = polygon_number(shape.wkt)
    for start in range(0, len(x), 1000):
        some = slice(start, start + 1000)
        lon, lat = (pa.array(values[some], from_pandas=True) for values in (x, y))
        found = _inside(pa.array(np.full(len(lon), number)), lon, lat)
        assert np.array_equal(found.to_numpy(zero_copy_only=False), expected[some])
