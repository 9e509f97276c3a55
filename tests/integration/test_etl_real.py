"""Real open data, end to end, with its accounting; expectations come from the files themselves through pandas and GDAL.

Philadelphia is cut to one month of incidents, everything else is whole.
"""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely
from city import City

from data import check
from data.releases import Workspace
from etl import pipeline

pytestmark = pytest.mark.real
EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
MONTH = "2024-03"


def publish(example: str, folder: Path, data: Path, edit=lambda text: text) -> City:
    """Run one of the examples in a fresh workspace."""
    sources = folder / f"{example}.toml"
    sources.write_text(edit((EXAMPLES / f"{example}.toml").read_text("utf-8")), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YANPAN_REAL_DATA", str(data))
        pipeline.run(Workspace(folder), sources_file=sources)
    return City(folder)


def balanced(city: City) -> pd.DataFrame:
    """The identity of the accounts, and a release that `yanpan check` accepts."""
    report = check.check(city.current)
    assert report.ok, report.lines()
    return city.accounted()


@pytest.fixture(scope="module")
def month(real_data) -> pd.DataFrame:
    """One month of incidents as published, with numbers of the rows in the cut file."""
    whole = pd.read_csv(real_data / "philadelphia" / "incidents_2024.csv.gz", dtype=str, keep_default_na=False)
    return whole[whole["dispatch_date"].str.startswith(MONTH)].reset_index(drop=True)


@pytest.fixture(scope="module")
def philadelphia(real_data, month, tmp_path_factory) -> City:
    folder = tmp_path_factory.mktemp("philadelphia")
    month.to_csv(folder / "month.csv", index=False)
    pattern = "${YANPAN_REAL_DATA:-../../shared/data}/philadelphia/incidents_20[0-9][0-9].csv.gz"

    def cut(text: str) -> str:
        assert pattern in text
        return text.replace(pattern, "month.csv")

    return publish("philadelphia", folder, real_data, cut)


def kept(month: pd.DataFrame) -> pd.DataFrame:
    return month[~month["dc_key"].duplicated()]


def test_philadelphia_accounts_for_every_row(philadelphia, month):
    accounts = balanced(philadelphia)
    repeated = int(month["dc_key"].duplicated().sum())
    assert accounts.loc["incidents"].tolist() == [len(month), len(month) - repeated, repeated]
    assert accounts.loc["tracts"].tolist() == [408, 408, 0]
    assert accounts.loc["planning_districts"].tolist() == [18, 18, 0]
    assert accounts.loc["roads"].tolist() == [1624, 1624, 0]
    assert accounts.loc["park_buildings", "rows_in"] == 956
    assert accounts.loc["cameras", "rows_in"] == 100


def test_philadelphia_times_are_the_published_local_ones(philadelphia, month):
    """dispatch_date_time is UTC; dispatch_date and dispatch_time say the same in local time."""
    local = kept(month).set_index("dc_key")
    table = philadelphia.table("incident").set_index("incident_id")
    assert set(table.index) == set(local.index)
    found = pd.to_datetime(table["occurred_from"]).reindex(local.index)
    wanted = pd.to_datetime(local["dispatch_date"] + " " + local["dispatch_time"])
    assert (found.to_numpy() == wanted.to_numpy()).all()


def test_philadelphia_incidents_lie_in_the_tracts_that_gdal_says(philadelphia, month, real_data):
    tracts = pyogrio.read_dataframe(f"/vsigzip/{real_data}/philadelphia/census_tracts_2020_population.geojson.gz")
    rows = kept(month)
    lon, lat = (pd.to_numeric(rows[c], errors="coerce") for c in ("point_x", "point_y"))
    points = gpd.GeoDataFrame({"dc_key": rows["dc_key"]}, geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")
    located = points[lon.notna().to_numpy() & (lon != 0).to_numpy()]
    joined = gpd.sjoin(
        located, tracts[["GEOID", "geometry"]].set_geometry(tracts.geometry.make_valid()), predicate="intersects"
    )
    expected = joined.groupby("dc_key")["GEOID"].min()
    table = philadelphia.table("incident").set_index("incident_id")
    usable = table[table["location_quality"].isin(["exact", "low_precision"])]
    assert len(usable) > 0.9 * len(table)
    assert usable["grid_code"].to_dict() == expected.reindex(usable.index).to_dict()
    outside = table[table["location_quality"] == "outside"]
    assert not set(outside.index) & set(expected.index)
    assert (table["location_quality"] == "none").sum() == len(rows) - len(located)


def test_philadelphia_filings_are_dispute_statistics(philadelphia, real_data):
    filings = pd.read_csv(real_data / "philadelphia" / "eviction_filings_monthly_by_tract.csv.gz", dtype=str)
    accounts = philadelphia.accounted().loc["filings"]
    sealed = filings["GEOID"].eq("sealed")
    rejects = philadelphia.table("reject").query("source_id == 'filings'")
    assert set(rejects["reason_code"]) == {"unknown_area"} and len(rejects) >= sealed.sum()
    assert accounts["rows_in"] == len(filings)
    table = philadelphia.table("dispute_stat")
    known = filings[~filings.index.isin(rejects["row"].astype(int) - 2)]
    assert table["found"].astype(int).sum() == pd.to_numeric(known["filings_counts"]).sum()
    assert set(known["GEOID"]) <= set(philadelphia.table("grid")["grid_code"])


def test_philadelphia_divisions_are_nested_in_wards_by_code(month, philadelphia, real_data, tmp_path):
    month.to_csv(tmp_path / "month.csv", index=False)
    pattern = "${YANPAN_REAL_DATA:-../../shared/data}/philadelphia/incidents_20[0-9][0-9].csv.gz"
    city = publish("philadelphia-divisions", tmp_path, real_data, lambda text: text.replace(pattern, "month.csv"))
    accounts = balanced(city)
    assert accounts.loc["divisions"].tolist() == [1703, 1703, 0]
    grids = city.table("grid")
    assert (grids["grid_code"].str[:2] == grids["district_code"]).all()
    wards = city.shapes("area")
    assert len(wards) == grids["district_code"].nunique() == 66
    whole = shapely.union_all(city.shapes("grid").geometry.to_numpy())
    assert whole.symmetric_difference(shapely.union_all(wards.geometry.to_numpy())).area < 1e-6 * whole.area
    table = city.table("incident")
    assert len(table) == len(philadelphia.table("incident"))
    located = table[table["grid_code"].notna()]
    assert (located["grid_code"].str[:2] == located["district_code"]).all()


def test_lancashire(real_data, tmp_path):
    city = publish("lancashire", tmp_path, real_data)
    accounts = balanced(city)
    assert accounts.loc["asb"].tolist() == [56_434, 56_434, 0]
    assert accounts.loc["wards"].tolist() == [271, 271, 0]
    assert accounts.loc["ward_population"].tolist() == [285, 245, 40]
    raw = pd.read_csv(real_data / "lancashire" / "lancashire_asb.tab.gz", sep="\t")
    table = city.table("incident")
    months = pd.to_datetime(raw["month"]).dt.strftime("%Y-%m-01").value_counts().to_dict()
    assert table["occurred_from"].str[:10].value_counts().to_dict() == months
    assert (pd.to_datetime(table["occurred_to"]) - pd.to_datetime(table["occurred_from"])).dt.days.between(28, 31).all()
    wards = pyogrio.read_dataframe(real_data / "lancashire" / "lancashire_wards.gpkg").to_crs(4326)
    points = gpd.GeoSeries(gpd.points_from_xy(raw["longitude"], raw["latitude"]), crs=4326)
    tree = shapely.STRtree(wards.geometry.to_numpy())
    point, ward = tree.query(points.to_numpy(), predicate="intersects")
    expected = pd.Series(wards["ward_code"].to_numpy()[ward]).groupby(point).min().value_counts()
    usable = table[table["grid_code"].notna()]["grid_code"].value_counts()
    assert abs(usable.reindex(expected.index).fillna(0) - expected).sum() <= 4  # points on a border, other projection
    population = city.table("grid").set_index("grid_code")["population"]
    assert population.notna().sum() == 245
    release = city.quality()["release"]["sources"]
    assert next(s for s in release if s["source_id"] == "asb")["precision"] == "month"


def test_boston(real_data, tmp_path):
    city = publish("boston", tmp_path, real_data)
    accounts = balanced(city)
    assert accounts.loc["requests", "rows_in"] == 117_941
    assert accounts.loc["cameras", "rows_in"] == 2_991
    assert accounts.loc["neighborhoods"].tolist() == [26, 26, 0]
    raw = pd.read_csv(real_data / "boston" / "service_requests_311_2015.csv.gz", dtype=str)
    raw = raw[~raw["CASE_ENQUIRY_ID"].duplicated()]
    default = raw[(raw["LATITUDE"].astype(float) == 42.3594) & (raw["LONGITUDE"].astype(float) == -71.0587)]
    table = city.table("incident").set_index("incident_id")
    assert len(default) > 14_000
    assert set(table.loc[default["CASE_ENQUIRY_ID"], "location_quality"]) == {"pile_up"}
    opened = pd.to_datetime(raw.set_index("CASE_ENQUIRY_ID")["OPEN_DT"], format="%m/%d/%Y %I:%M:%S %p")
    found = pd.to_datetime(table["occurred_from"]).reindex(opened.index)
    assert (found.to_numpy().astype("datetime64[s]") == opened.to_numpy().astype("datetime64[s]")).all()
    shapes = city.shapes("grid").set_index("grid_code").geometry
    true = pyogrio.read_dataframe(real_data / "boston" / "boston_neighborhoods.shp").to_crs(4326)
    for code, shape in zip(true["Nghb_ID"], true.geometry.make_valid(), strict=True):
        other = shapes[str(code).removesuffix(".0")]
        assert other.symmetric_difference(shape).area < 1e-3 * shape.area


def median_distance_m(shape, boundary) -> float:
    """Median distance of the vertices of one boundary to another, in metres (local equidistant projection)."""
    centre = boundary.centroid
    local = pyproj.Transformer.from_crs("EPSG:4326", f"+proj=aeqd +lat_0={centre.y} +lon_0={centre.x}", always_xy=True)

    def metres(geometry):
        return shapely.transform(geometry, lambda c: np.column_stack(local.transform(c[:, 0], c[:, 1])))

    line = shapely.boundary(metres(boundary))
    shapely.prepare(line)
    points = shapely.points(shapely.get_coordinates(metres(shape)))
    return float(np.median(shapely.distance(points, line)))


@pytest.mark.parametrize(
    ("name", "code", "districts", "streets", "villages"),
    [("nanjing", "320100", 11, 140, 1322), ("wuwei", "620600", 4, 108, 1240)],
)
def test_chinese_cities(real_data, tmp_path, name, code, districts, streets, villages):
    city = publish(name, tmp_path, real_data)
    accounts = balanced(city)
    assert accounts["rows_out"].to_dict() == {
        "city": 1,
        "districts": districts,
        "streets": streets,
        "villages": villages,
    }
    areas = city.shapes("area").set_index("code")
    assert areas["level"].value_counts().to_dict() == {
        "city": 1,
        "district": districts,
        "street": streets,
        "community": villages,
    }
    for child in areas.index[areas["level"].isin(["street", "community"])]:
        assert child.startswith(areas.loc[child, "parent_code"])
    # The districts are labelled as plain GeoJSON but drawn in GCJ-02: told, shown, and moved back.
    runs = city.table("source_run").set_index("source_id")
    assert runs.loc["districts", "crs_detected"] == "gcj02"
    assert "gcj02" not in str(runs.loc["city", "crs_detected"])
    evidence = json.dumps(city.quality()["sources"]["districts"]["datum"], ensure_ascii=False)
    assert all(h in evidence for h in ("wgs84", "gcj02", "bd09"))
    true = pyogrio.read_dataframe(real_data / "china" / "boundaries_cgcs2000_district.geojson").set_index("gb")
    raw = pyogrio.read_dataframe(real_data / "china" / f"boundaries_gcj02_{name}_{code}_districts.json").set_index(
        "adcode"
    )
    before, after = [], []
    for adcode, shape in raw.geometry.items():
        if f"156{adcode}" in true.index:
            reference = true.loc[f"156{adcode}"].geometry
            before.append(median_distance_m(shape, reference))
            after.append(median_distance_m(areas.loc[str(adcode)].geometry, reference))
    assert len(after) >= 3
    assert (np.array(after) < 0.85 * np.array(before)).all()  # the rest is the two publishers' generalisation
