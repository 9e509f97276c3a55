"""data.store.rows and place_types against the raw frame in pandas, for random Selections and scopes."""

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest
import shapely
import small_release as small
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.schema import CATEGORIES, INVALID
from data.selection import Selection
from data.store import OutsideScope, Scope, Store, incident_rows
from data.store.exporting.incidents import incidents
from data.store.facets import facets
from data.store.place_types import place_types

ALL = Scope.everything()
WEEK = (date(2026, 11, 9), date(2026, 11, 16))
POLYGON = "POLYGON((113.603 34.702,113.648 34.704,113.631 34.735,113.603 34.702))"
COLUMNS = ["incident_id", "occurred_from", "occurred_to", "category", "subcategory", "community", "community_code", "grid",
           "grid_code", "place_type", "location_quality", "status", "lon", "lat"]  # fmt: skip


@pytest.fixture(scope="module")
def frame():
    table = small.incidents(9000, seed=8)
    table["place_type"] = pd.Series(["商场", "道路", None]).iloc[table.index % 3].to_numpy()
    table["status"] = "办结"
    return table


@pytest.fixture(scope="module")
def release(tmp_path_factory, frame):
    directory = tmp_path_factory.mktemp("rows")
    small.publish(directory, frame, sheet=small.weekly_sheet())
    store = Store(directory)
    with store.current() as opened:
        yield opened
    store.close()


def by_pandas(frame, selection, scope=ALL):
    """The rows of a Selection and a scope, newest first, from the frame as it was published."""
    at = frame["occurred_from"]
    kept = (at >= pd.Timestamp(selection.start)) & (at < pd.Timestamp(selection.end))
    kept &= frame["category"].isin(selection.categories or [c for c in CATEGORIES if c != INVALID])
    if scope.areas is not None:
        kept &= frame["grid_code"].notna() & frame["grid_code"].fillna("").str.startswith(tuple(scope.areas) or ("-",))
    if selection.area:
        kept &= frame["grid_code"].fillna("").str.startswith(selection.area)
    rows = frame[kept]
    span = rows["occurred_to"] - rows["occurred_from"]
    if selection.hours:
        first, last = selection.hours
        hour = rows["occurred_from"].dt.hour
        inside = hour.between(first, last) if first <= last else (hour >= first) | (hour <= last)
        rows = rows[inside & ~(span > pd.Timedelta(hours=1))]
    if selection.weekdays:
        rows = rows[(rows["occurred_from"].dt.day_of_week + 1).isin(selection.weekdays)]
    if selection.polygon:
        shape = shapely.from_wkt(selection.polygon)
        rows = rows[shapely.intersects_xy(shape, rows["x"], rows["y"])]
    return rows.sort_values(["occurred_from", "incident_id"], ascending=[False, True])


@st.composite
def questions(draw):
    start = small.FIRST + timedelta(days=draw(st.integers(-10, 680)))
    scope = draw(st.sampled_from([None, ("990101",), ("990102001", "990103"), ("990103002001002",), ()]))
    inside = scope if scope else ("990101", "990102")
    codes = [c for c in small.grids()["grid_code"] if c.startswith(inside)]
    area = draw(st.sampled_from([None, *(code[:n] for code in codes[::3] for n in (9, 12, 15))]))
    if scope is not None and (not scope or (area and not area.startswith(scope))):
        area = None
    hours = draw(st.none() | st.tuples(st.integers(0, 23), st.integers(0, 23)))
    return Selection(
        start, start + timedelta(days=draw(st.sampled_from([1, 3, 7, 45, 200]))), area,
        categories=tuple(c for c in CATEGORIES if draw(st.booleans())) if draw(st.booleans()) else (),
        hours=hours, weekdays=tuple(sorted(draw(st.sets(st.integers(1, 7), max_size=6)))),
        polygon=draw(st.sampled_from([None, None, POLYGON])),
    ), Scope(scope)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=questions(), limit=st.sampled_from([1, 7, 100, 5000]), offset=st.integers(0, 300), newest=st.booleans())
def test_rows_are_those_of_the_frame_in_order_for_any_selection_and_scope(
    release, frame, question, limit, offset, newest
):
    selection, scope = question
    answer = incident_rows(
        release, selection, scope, limit=limit, offset=offset, order="time" if newest else "earliest"
    )
    expected = by_pandas(frame, selection, scope)
    assert answer.meta["matched"] == len(expected)
    assert answer.meta["unplaced"] == expected["x"].isna().sum()
    if not newest:
        expected = expected.sort_values(["occurred_from", "incident_id"])
    page = expected.iloc[offset : offset + limit]
    rows = answer.rows.to_pandas()
    assert rows["incident_id"].tolist() == page["incident_id"].tolist() and answer.meta["returned"] == len(page)
    assert rows["occurred_from"].tolist() == page["occurred_from"].dt.strftime("%Y-%m-%dT%H:%M:%S").tolist()
    until = page["occurred_to"].dt.strftime("%Y-%m-%dT%H:%M:%S").where(page["occurred_to"].notna(), None)
    assert rows["occurred_to"].tolist() == until.tolist()
    for ours, theirs in (("category", "category"), ("community_code", "community_code"), ("grid_code", "grid_code"),
                         ("location_quality", "location_quality"), ("place_type", "place_type")):  # fmt: skip
        assert rows[ours].tolist() == page[theirs].where(page[theirs].notna(), None).tolist()
    assert rows[["lon", "lat"]].astype(float).to_numpy() == pytest.approx(page[["x", "y"]].to_numpy(), nan_ok=True)


def test_the_page_and_the_export_count_the_same_days_once(release, frame, monkeypatch):
    selection = Selection(date(2026, 4, 1), date(2026, 5, 1))
    asked, ask = [], release.rows
    monkeypatch.setattr(release, "rows", lambda statement: asked.append(str(statement)) or ask(statement))
    for scope in (ALL, Scope(("990101",))):
        asked.clear()
        size = len(by_pandas(frame, selection, scope))
        export = incidents(release, replace(selection, compare="none"), scope)
        assert export.meta["matched"] == incident_rows(release, selection, scope).meta["matched"] == size
        assert sum("GROUP BY day" in text for text in asked) == 1
        assert sum(part.num_rows for part in export.batches()) == size


def test_pages_follow_one_another_without_overlap_or_gap(release, frame):
    selection = Selection(date(2026, 3, 1), date(2026, 6, 1))
    pages = [incident_rows(release, selection, ALL, limit=97, offset=k).rows for k in range(0, 1400, 97)]
    ids = [i for page in pages for i in page["incident_id"].to_pylist()]
    assert ids == by_pandas(frame, selection)["incident_id"].tolist()
    backwards = incident_rows(release, selection, ALL, limit=5000, order="earliest").rows["occurred_from"].to_pylist()
    assert backwards == sorted(backwards) and len(backwards) == len(ids)


def test_rows_carry_names_codes_and_every_column(release):
    answer = incident_rows(release, Selection(*WEEK), ALL, limit=1)
    row = answer.rows.to_pylist()[0]
    assert list(row) == COLUMNS
    assert row["grid"] in ("第1网格", "第2网格") and row["community"] == f"community {row['grid_code'][:12]}"
    assert answer.meta["selection"]["from"] == "2026-11-09" and answer.meta["absent"] == []


def test_columns_no_source_provides_are_named(tmp_path, frame):
    small.publish(tmp_path, frame.assign(place_type=None, status=None))
    store = Store(tmp_path)
    with store.current() as release:
        answer = incident_rows(release, Selection(*WEEK), ALL)
        places = place_types(release, Selection(*WEEK), ALL)
    store.close()
    assert answer.meta["absent"] == ["place_type", "status"]
    assert places.meta["state"] == "absent" and places.rows.num_rows == 0  # 来源未提供, not zero of anything


def test_nothing_outside_the_scope_is_told(release):
    with pytest.raises(OutsideScope):
        incident_rows(release, Selection(*WEEK, area="990102"), Scope(("990101",)))
    assert incident_rows(release, Selection(*WEEK), Scope(())).meta["matched"] == 0


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 5001}, {"offset": -1}, {"order": "名称"}])
def test_a_page_that_cannot_be_is_refused(release, wrong):
    with pytest.raises(ValueError, match="expected 1 to 5000"):
        incident_rows(release, Selection(*WEEK), ALL, **wrong)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=questions())
def test_place_types_are_counted_in_both_windows(release, frame, question):
    selection, scope = question
    answer = place_types(release, selection, scope)
    start, end = selection.compare_window
    past = by_pandas(frame, Selection(start, end, selection.area, "none", selection.categories, selection.hours,
                                      selection.weekdays, selection.polygon), scope)  # fmt: skip
    now = by_pandas(frame, selection, scope)
    rows = {row["place_type"]: row for row in answer.rows.to_pylist()}
    if answer.meta["state"] == "missing":
        assert now.empty and not rows
        return
    assert answer.meta["unnamed"] == now["place_type"].isna().sum()
    assert {k: row["count"] for k, row in rows.items() if row["count"]} == now["place_type"].value_counts().to_dict()
    before = {k: row["before"] for k, row in rows.items() if row["before"]}
    assert before == past["place_type"].value_counts().to_dict()
    counts = [row["count"] for row in rows.values()]
    assert counts == sorted(counts, reverse=True)


def test_nothing_recorded_is_missing_only_where_no_report_is_in(release):
    """After the last day of data no report is in; before it there are reports of everything."""
    later = Selection(date(2027, 1, 4), date(2027, 1, 11))
    assert facets(release, later, ALL).missing and place_types(release, later, ALL).meta["state"] == "missing"
    quiet = Selection(*WEEK, area="990101001001001", hours=(3, 3))
    found = facets(release, quiet, ALL)
    assert not found.missing and min(found.categories.values()) == 0
