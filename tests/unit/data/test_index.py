"""data.index: the file holds what the tables hold, in the coded form it promises."""

import duckdb
import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
import small_release as small

from data.errors import DataFault
from data.index import FILE_NAME, build
from data.release_info import ReleaseInfo, SourceInfo
from data.schema import CATEGORIES


@pytest.fixture(scope="module")
def frame():
    return small.incidents(3000)


@pytest.fixture(scope="module")
def index(tmp_path_factory, frame):
    directory = small.publish(tmp_path_factory.mktemp("releases"), frame, sheet=small.weekly_sheet())
    with duckdb.connect(str(directory / FILE_NAME), read_only=True) as con:
        yield con


def test_release_info_survives(index):
    assert ReleaseInfo.from_json(index.execute("SELECT info FROM release").fetchone()[0]) == small.info()


def test_incidents_are_sorted_coded_and_complete(index, frame):
    rows = index.execute("""
        SELECT i.*, u.code AS grid_code, d.code AS district_code FROM incident i
        LEFT JOIN unit u ON u.level = 'grid' AND u.position = i.grid
        LEFT JOIN unit d ON d.level = 'district' AND d.position = i.district""").df()
    assert index.execute("SELECT occurred_from FROM incident").df()["occurred_from"].is_monotonic_increasing
    rows = rows.set_index("incident_id").loc[frame["incident_id"]]
    source = frame.set_index("incident_id")
    assert (rows["occurred_from"] == source["occurred_from"]).all()
    assert (rows["category"].map(dict(enumerate(CATEGORIES))) == source["category"]).all()
    for code in ("grid_code", "district_code"):
        assert rows[code].fillna("").tolist() == source[code].fillna("").tolist()
    assert np.allclose(rows["lon"].astype(float), source["x"], equal_nan=True)
    assert (rows["recorded_at"].isna() == source["recorded_at"].isna()).all()


def test_clock_columns_against_pandas(index, frame):
    rows = index.execute("SELECT * FROM incident").df().set_index("incident_id").loc[frame["incident_id"]].reset_index()
    begin = frame["occurred_from"].reset_index(drop=True)
    span = (frame["occurred_to"] - frame["occurred_from"]).reset_index(drop=True)
    known = ~(span > pd.Timedelta(hours=1))
    assert (rows["hour"].isna() == ~known).all()
    assert (rows.loc[known, "hour"] == begin[known].dt.hour).all()
    assert (rows["weekday"] == begin.dt.day_of_week + 1).all()
    days = pd.to_timedelta(rows["day"], unit="D") + pd.Timestamp(0)
    assert (days == begin.dt.floor("D")).all()
    monday = pd.to_timedelta(rows["week"], unit="D") + pd.Timestamp(0)
    assert (monday == begin.dt.to_period("W-SUN").dt.start_time).all()
    half = begin.dt.year * 24 + (begin.dt.month - 1) * 2 + (begin.dt.day > 15)
    assert (rows["half"] == half).all()


def test_whole_months_have_no_weekday(tmp_path):
    frame = pd.DataFrame({
        "incident_id": ["a"], "occurred_from": pd.to_datetime(["2026-02-01"]), "category": ["刑事"],
        "occurred_to": pd.to_datetime(["2026-03-01"]), "location_quality": ["none"], "source_id": ["jq"],
    })  # fmt: skip
    directory = small.publish(tmp_path, frame)
    with duckdb.connect(str(directory / FILE_NAME), read_only=True) as con:
        assert con.execute("SELECT hour, weekday FROM incident").fetchall() == [(None, None)]


def test_units_know_what_they_lie_in(index):
    row = index.execute("SELECT * FROM unit WHERE code = '990102002001001'").df().iloc[0]
    assert (row["level"], row["parent_code"]) == ("grid", "990102002001")
    assert [row[f"{level}_code"] for level in ("district", "street", "community")] == [
        "990102", "990102002", "990102002001",
    ]  # fmt: skip
    street = index.execute("SELECT * FROM unit WHERE code = '990102002'").df().iloc[0]
    assert (street["district_code"], street["street_code"], street["community_code"]) == ("990102", "990102002", None)
    grid = small.grids().set_index("grid_code").loc["990102002001001"]
    bounds = shapely.from_wkb(grid["geom"]).bounds
    assert tuple(row[["minx", "miny", "maxx", "maxy"]]) == pytest.approx(bounds)


def test_only_units_valid_at_the_data_date_are_kept(tmp_path):
    grid = small.grids()
    grid["valid_from"] = grid["valid_to"] = None
    old, new = grid.iloc[[0]].copy(), grid.iloc[[0]].copy()
    old["valid_to"], new["valid_from"] = pd.Timestamp("2026-01-01").date(), pd.Timestamp("2026-01-01").date()
    old["name"], new["name"] = "旧", "新"
    future = grid.iloc[[1]].assign(grid_code="990101001001009", valid_from=pd.Timestamp("2027-01-01").date())
    ended = grid.iloc[[1]].assign(grid_code="990101001001008", valid_to=pd.Timestamp("2026-11-16").date())
    versions = pd.concat([old, new, grid.iloc[1:], future, ended])
    directory = small.publish(tmp_path, small.incidents(50), grid=versions, area=small.areas(grid))
    with duckdb.connect(str(directory / FILE_NAME), read_only=True) as con:
        rows = con.execute("SELECT code, name, position FROM unit WHERE level = 'grid' ORDER BY position").df()
    assert rows["code"].tolist() == sorted(grid["grid_code"])
    assert rows["name"][0] == "新"


def test_unknown_category_is_refused(tmp_path):
    frame = small.incidents(10).assign(category="盗窃")
    with pytest.raises(DataFault, match=r"incident\.category.*盗窃"):
        small.publish(tmp_path, frame)


def test_an_empty_release_can_be_built(tmp_path):
    build(tmp_path / FILE_NAME, {}, small.info(data_as_of=None, sources=()))
    with duckdb.connect(str(tmp_path / FILE_NAME), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM incident").fetchone() == (0,)
        assert con.execute("SELECT count(*) FROM unit").fetchone() == (0,)


def test_projected_coordinates_become_degrees(tmp_path):
    grid, frame = small.grids(), small.incidents(200)
    shapes = gpd.GeoSeries(shapely.from_wkb(grid["geom"].to_numpy()), crs="EPSG:4490").to_crs("EPSG:4546")
    points = gpd.GeoSeries(gpd.points_from_xy(frame["x"], frame["y"]), crs="EPSG:4490").to_crs("EPSG:4546")
    projected = frame.assign(x=points.x.to_numpy(), y=points.y.to_numpy())
    grid_m = grid.assign(geom=shapely.to_wkb(shapes.to_numpy()))
    directory = small.publish(tmp_path, projected, grid=grid_m, stated=small.info(crs="EPSG:4546"))
    with duckdb.connect(str(directory / FILE_NAME), read_only=True) as con:
        rows = con.execute("SELECT incident_id, lon, lat FROM incident").df().set_index("incident_id")
        west = con.execute("SELECT min(minx) FROM unit").fetchone()[0]
    rows = rows.loc[frame["incident_id"]]
    assert np.allclose(rows["lon"].astype(float), frame["x"], atol=1e-9, equal_nan=True)
    assert np.allclose(rows["lat"].astype(float), frame["y"], atol=1e-9, equal_nan=True)
    assert west == pytest.approx(small.WEST, abs=1e-6)


def test_row_order_and_text_encoding_change_nothing(tmp_path, frame):
    stated = small.info()
    shuffled = small.table("incident", frame.sample(frac=1, random_state=1))
    coded = shuffled
    for name in ("grid_code", "category", "source_id", "location_quality"):
        at = coded.schema.get_field_index(name)
        coded = coded.set_column(at, name, pa.chunked_array([coded[name].combine_chunks().dictionary_encode()]))
    grid = {"grid": small.table("grid", small.grids()), "area": small.table("area", small.areas(small.grids()))}
    contents = []
    for number, incident in enumerate((small.table("incident", frame), coded)):
        build(tmp_path / f"{number}.duckdb", {**grid, "incident": incident}, stated)
        with duckdb.connect(str(tmp_path / f"{number}.duckdb"), read_only=True) as con:
            contents.append(con.execute("SELECT * FROM incident ORDER BY occurred_from, incident_id").df())
    pd.testing.assert_frame_equal(*contents)


def test_sources_and_silences(tmp_path):
    days = [*range(0, 10), *range(14, 20), *range(24, 30)]  # gaps of four days
    begin = pd.Timestamp("2026-01-05") + pd.to_timedelta(days, unit="D") + pd.Timedelta(hours=12)
    frame = pd.DataFrame({"incident_id": [f"a{i}" for i in days], "occurred_from": begin, "category": "刑事",
                          "location_quality": "none", "source_id": "jq"})  # fmt: skip
    sources = (SourceInfo("jq", "incident", ("a.csv",), 1, "day", data_as_of="2026-01-29T12:00:00"),)
    directory = small.publish(tmp_path, frame, stated=small.info(sources=sources))
    epoch = pd.Timestamp("2026-01-05").value // 86_400_000_000_000
    with duckdb.connect(str(directory / FILE_NAME), read_only=True) as con:
        assert con.execute("SELECT source_id, first_day, last_day, knows_recorded FROM source").fetchall() == [
            ("jq", epoch, epoch + 24, False)  # nothing after the source's data_as_of
        ]
        assert con.execute("SELECT first_day, end_day FROM silence ORDER BY 1").fetchall() == [
            (epoch + 10, epoch + 14), (epoch + 20, epoch + 24),
        ]  # fmt: skip
    weekly = (SourceInfo("jq", "incident", ("a.csv",), 1, "week"),)
    directory = small.publish(tmp_path / "w", frame, stated=small.info(sources=weekly))
    with duckdb.connect(str(directory / FILE_NAME), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM silence").fetchone() == (0,)


def test_overview_keeps_common_borders(tmp_path):
    t = np.linspace(0, 1, 400)
    wobble = np.column_stack([113.65 + 0.002 * np.sin(40 * t) + 1e-6 * np.sin(900 * t), 34.70 + 0.1 * t])
    left = shapely.Polygon([(113.6, 34.8), (113.6, 34.7), *wobble])
    right = shapely.Polygon([(113.7, 34.7), (113.7, 34.8), *wobble[::-1]])
    grid = small.grids().iloc[:2].assign(geom=[shapely.to_wkb(left), shapely.to_wkb(right)])
    directory = small.publish(tmp_path, small.incidents(10), grid=grid)
    with duckdb.connect(str(directory / FILE_NAME), read_only=True) as con:
        texts = {
            detail: con.execute(
                "SELECT geojson FROM shape WHERE level = 'grid' AND detail = ? ORDER BY position", [detail]
            ).df()["geojson"].tolist()
            for detail in ("overview", "near")
        }  # fmt: skip
    overview, near = (shapely.from_geojson(texts[detail]) for detail in ("overview", "near"))
    assert shapely.get_num_coordinates(overview).sum() < 0.7 * shapely.get_num_coordinates(near).sum()
    assert shapely.area(shapely.intersection(*overview)) == 0
    assert shapely.area(shapely.union_all(overview)) == pytest.approx(0.01, rel=1e-6)
