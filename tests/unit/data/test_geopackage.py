"""The GeoPackage: other readers see what was put in, the index answers as brute force, edits keep it right."""

import os
import sqlite3
import stat
import warnings
from contextlib import closing
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyogrio
import pytest
import shapely
from full_release import city, info, square, table, wkb
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from data import geopackage, qgis_styles, rtree, sqlite_pages
from data.errors import DataFault, UsageError
from data.schema import CATEGORIES, LAYERS

GEOMETRY_LAYERS = [name for name, layer in LAYERS.items() if layer.geometry]


@pytest.fixture(scope="module")
def tables():
    return city(3000)


@pytest.fixture(scope="module")
def written(tables, tmp_path_factory):
    path = tmp_path_factory.mktemp("gpkg") / "city.gpkg"
    geopackage.write(path, tables, info())
    return path


@pytest.fixture
def editable(written, tmp_path):
    path = tmp_path / "edit.gpkg"
    path.write_bytes(written.read_bytes())
    return path


def plain(expected: pa.Table) -> pa.Table:
    """Geometry as parsed shapes' WKB in one byte order; dictionaries decoded."""
    columns = {}
    for field in expected.schema:
        column = expected[field.name]
        if field.name == "geom":
            column = pa.array(shapely.to_wkb(shapely.from_wkb(column.to_numpy(zero_copy_only=False)), byte_order=1))
        columns[field.name] = column
    return pa.table(columns)


@pytest.mark.parametrize("layer", LAYERS)
def test_what_was_written_is_read_back(written, tables, layer):
    assert plain(geopackage.read(written, layer)).to_pylist() == plain(tables[layer]).to_pylist()
    assert geopackage.read(written, layer).schema == LAYERS[layer].arrow_schema()


@pytest.mark.parametrize("layer", LAYERS)
def test_empty_layers_are_all_there(tmp_path, layer, empty_release):
    assert geopackage.read(empty_release, layer).num_rows == 0
    assert pyogrio.read_info(empty_release, layer=layer)["features"] == 0


@pytest.fixture(scope="module")
def empty_release(tmp_path_factory):
    path = tmp_path_factory.mktemp("empty") / "city.gpkg"
    geopackage.write(path, {}, info(crs="EPSG:27700"))
    return path


def test_sqlite_and_its_rtree_find_nothing_wrong(written, empty_release):
    for path in (written, empty_release):
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert db.execute("PRAGMA foreign_key_check").fetchall() == []
            assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
            for name in GEOMETRY_LAYERS:
                assert db.execute("SELECT rtreecheck(?)", (f"rtree_{name}_geom",)).fetchone() == ("ok",)


def test_gdal_accepts_every_layer_without_a_word(written):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # what GDAL has to say comes as a warning
        names = [str(name) for name, _ in pyogrio.list_layers(written)]
        for name in names:
            pyogrio.read_info(written, layer=name, force_feature_count=True, force_total_bounds=True)
    assert names == [
        *(n for n in LAYERS if n in GEOMETRY_LAYERS),
        *(n for n in LAYERS if n not in GEOMETRY_LAYERS),
        "layer_styles",
    ]


def test_geopandas_sees_the_same_points_and_system(written, tables):
    frame = gpd.read_file(written, layer="incident")
    assert frame.crs == CRS("EPSG:4490")
    x = tables["incident"]["x"].to_numpy()
    assert np.array_equal(frame.geometry.isna(), np.isnan(x))
    assert np.array_equal(frame.geometry.x.dropna(), x[~np.isnan(x)])
    assert frame["occurred_from"].tolist() == tables["incident"]["occurred_from"].to_pylist()
    assert set(gpd.read_file(written, layer="grid").geom_type) == {"MultiPolygon"}


def test_box_search_answers_as_brute_force(written, tables):
    x, y = (tables["incident"][axis].to_numpy() for axis in "xy")
    random = np.random.default_rng(1)
    for _ in range(20):
        left, bottom = 102.6 + random.random() * 0.05, 37.9 + random.random() * 0.05
        right, top = left + random.random() * 0.03, bottom + random.random() * 0.03
        found = pyogrio.read_dataframe(written, layer="incident", bbox=(left, bottom, right, top))
        inside = (x >= left) & (x <= right) & (y >= bottom) & (y <= top)
        assert sorted(found["incident_id"]) == sorted(tables["incident"].filter(inside)["incident_id"].to_pylist())


def test_times_are_wall_clock_text_without_offset(written):
    with closing(sqlite3.connect(written)) as db:
        stored = db.execute(
            "SELECT typeof(occurred_from), length(occurred_from), substr(occurred_from, 11, 1) "
            "FROM incident GROUP BY 1, 2, 3"
        ).fetchall()
        assert stored == [("text", 19, "T")]
        assert db.execute("SELECT installed_on FROM camera LIMIT 1").fetchone() == ("2021-05-06",)
        assert db.execute("SELECT online, typeof(online) FROM camera LIMIT 3").fetchall() == [
            (1, "integer"),
            (0, "integer"),
            (None, "null"),
        ]


def test_opens_where_nothing_can_be_written(written, tmp_path):
    folder = tmp_path / "sealed"
    folder.mkdir()
    file = folder / "city.gpkg"
    file.write_bytes(written.read_bytes())
    file.chmod(stat.S_IRUSR)
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert geopackage.read(file, "grid").num_rows == 36
        assert geopackage.read_info(file).title == "合成市"
        assert os.listdir(folder) == ["city.gpkg"]
    finally:
        folder.chmod(0o700)


def test_header_systems_and_contents(written, empty_release):
    with closing(sqlite3.connect(written)) as db:
        assert db.execute("PRAGMA application_id").fetchone() == (0x47504B47,)
        assert db.execute("PRAGMA user_version").fetchone() == (10300,)
        assert [row for (row,) in db.execute("SELECT srs_id FROM gpkg_spatial_ref_sys ORDER BY 1")] == [
            -1,
            0,
            4326,
            4490,
        ]
        bounds = db.execute("SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE table_name = 'grid'").fetchone()
        assert bounds == pytest.approx((102.6, 37.9, 102.66, 37.96))
        titles = dict(db.execute("SELECT table_name, description FROM gpkg_contents"))
        assert {name: titles[name] for name in LAYERS} == {name: layer.title for name, layer in LAYERS.items()}
    for path, code in ((written, 4490), (written, 4326), (empty_release, 27700)):
        with closing(sqlite3.connect(path)) as db:
            (text,) = db.execute("SELECT definition FROM gpkg_spatial_ref_sys WHERE srs_id = ?", (code,)).fetchone()
        assert CRS.from_wkt(text) == CRS(f"EPSG:{code}")
        assert [a.direction for a in CRS.from_wkt(text).axis_info] == [
            a.direction for a in CRS(f"EPSG:{code}").axis_info
        ]


def test_release_info_travels_in_the_metadata(written):
    assert geopackage.read_info(written) == info()


def _x_of(blob, low):
    shape = shapely.from_wkb(blob[8 + (0, 32, 48, 48, 64)[blob[3] >> 1 & 7] :])
    return None if shape.is_empty else shape.bounds[0 if low else 2]


def _y_of(blob, low):
    shape = shapely.from_wkb(blob[8 + (0, 32, 48, 48, 64)[blob[3] >> 1 & 7] :])
    return None if shape.is_empty else shape.bounds[1 if low else 3]


@pytest.fixture
def editor(editable):
    """A connection with the functions a GeoPackage editor brings along."""
    with closing(sqlite3.connect(editable)) as db:
        db.create_function("ST_IsEmpty", 1, lambda blob: None if blob is None else blob[3] >> 4 & 1)
        for name, read, low in (
            ("ST_MinX", _x_of, 1),
            ("ST_MaxX", _x_of, 0),
            ("ST_MinY", _y_of, 1),
            ("ST_MaxY", _y_of, 0),
        ):
            db.create_function(name, 1, lambda blob, read=read, low=low: read(blob, low))
        yield db


@pytest.mark.parametrize("layer", ["incident", "grid"])
def test_edits_keep_the_index_right(editor, layer):
    index = f"rtree_{layer}_geom"
    (before,) = editor.execute(f"SELECT count(*) FROM {index}").fetchone()
    (blob,) = editor.execute(f"SELECT geom FROM {layer} WHERE geom IS NOT NULL LIMIT 1").fetchone()
    moved = blob[:8] + (blob[8:] if layer == "grid" else shapely.to_wkb(shapely.Point(103, 38), byte_order=1))
    names = ", ".join(f'"{name}"' for name in LAYERS[layer].names)
    editor.execute(f"INSERT INTO {layer} (geom, {names}) SELECT ?, {names} FROM {layer} WHERE fid = 7", (moved,))
    (new,) = editor.execute(f"SELECT max(fid) FROM {layer}").fetchone()
    assert editor.execute(f"SELECT count(*) FROM {index} WHERE id = ?", (new,)).fetchone() == (1,)
    editor.execute(f"UPDATE {layer} SET geom = ? WHERE fid BETWEEN 20 AND 30", (moved,))
    editor.execute(f"UPDATE {layer} SET geom = NULL WHERE fid = 31")
    editor.execute(f"UPDATE {layer} SET fid = 900000 WHERE fid = 21")
    editor.execute(f"DELETE FROM {layer} WHERE fid % 3 = 0")
    editor.commit()
    assert editor.execute("SELECT rtreecheck(?)", (index,)).fetchone() == ("ok",)
    indexed = {row for (row,) in editor.execute(f"SELECT id FROM {index}")}
    assert indexed == {row for (row,) in editor.execute(f"SELECT fid FROM {layer} WHERE geom IS NOT NULL")}
    assert 0 < len(indexed) < before
    (rows,) = editor.execute(f"SELECT count(*) FROM {layer}").fetchone()
    assert editor.execute("SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = ?", (layer,)).fetchone() == (
        rows,
    )


def test_gdal_edits_keep_the_index_right(editable, tables):
    frame = gpd.GeoDataFrame(gpd.read_file(editable, layer="camera").head(2))
    pyogrio.write_dataframe(frame, editable, layer="camera", append=True)
    with closing(sqlite3.connect(editable)) as db:
        assert db.execute("SELECT count(*), max(fid) FROM camera").fetchone() == (11, 11)
        assert db.execute("SELECT count(*) FROM rtree_camera_geom").fetchone() == (11,)
        assert db.execute("SELECT rtreecheck('rtree_camera_geom')").fetchone() == ("ok",)


def test_dictionaries_chunks_and_column_order_do_not_matter(tmp_path, tables, written):
    incident = tables["incident"]
    encoded = {
        name: incident[name].dictionary_encode() if pa.types.is_string(incident[name].type) else incident[name]
        for name in reversed(incident.column_names)
    }
    pieces = pa.concat_tables([pa.table(encoded).slice(0, 1000), pa.table(encoded).slice(1000)])
    geopackage.write(tmp_path / "a.gpkg", {"incident": pieces}, info())
    assert geopackage.read(tmp_path / "a.gpkg", "incident").equals(geopackage.read(written, "incident"))


def test_single_polygons_become_multi_and_empty_ones_stay_out_of_the_index(tmp_path):
    shapes = [square(0, 0), shapely.MultiPolygon(), shapely.force_3d(square(1, 1)), None]
    rows = [
        {"grid_code": f"g{i}", "geom": shape and shapely.to_wkb(shape, byte_order=0)} for i, shape in enumerate(shapes)
    ]
    rows[1]["geom"] = shapely.to_wkb(shapes[1])
    geopackage.write(tmp_path / "a.gpkg", {"grid": table("grid", rows)}, info())
    got = shapely.from_wkb(geopackage.read(tmp_path / "a.gpkg", "grid")["geom"].to_numpy(zero_copy_only=False))
    assert shapely.equals(
        got[[0, 2]], [shapely.MultiPolygon([square(0, 0)]), shapely.MultiPolygon([square(1, 1)])]
    ).all()
    assert got[1].is_empty and got[3] is None and not shapely.has_z(got[2])
    with closing(sqlite3.connect(tmp_path / "a.gpkg")) as db:
        assert db.execute("SELECT id FROM rtree_grid_geom ORDER BY 1").fetchall() == [(1,), (3,)]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"grid": table("grid", [{"grid_code": None, "geom": wkb(square(0, 0))}])}, "必填列有空值.*grid.grid_code"),
        (
            {"grid": table("grid", [{"grid_code": "1", "geom": shapely.to_wkb(shapely.Point(1, 2))}])},
            "几何类型不符.*第1行.*Point",
        ),
        ({"grid": table("grid", [{"grid_code": "1", "geom": b"\1\2"}])}, "几何读不出"),
        ({"key_place": table("key_place", [{"place_id": "1", "x": float("nan"), "y": 1.0}])}, "坐标不是有限数"),
        ({"grid": table("grid", []).drop_columns(["kind"])}, "缺 .*kind"),
        ({"street": table("area", [])}, "未声明的图层.*street"),
    ],
)
def test_what_cannot_be_stored_is_refused_and_nothing_is_left(tmp_path, changed, words):
    with pytest.raises(DataFault, match=words):
        geopackage.write(tmp_path / "a.gpkg", changed, info())
    assert list(tmp_path.iterdir()) == []


def test_no_file_is_overwritten_and_an_unknown_system_is_refused(tmp_path, written):
    with pytest.raises(UsageError, match="不能覆盖"):
        geopackage.write(written, {}, info())
    with pytest.raises(DataFault, match=r"坐标系无法写入.*EPSG:999999"):
        geopackage.write(tmp_path / "a.gpkg", {}, info(crs="EPSG:999999"))
    with pytest.raises(DataFault, match="读不出发布信息"):
        geopackage.read_info(tmp_path / "none.gpkg")
    with pytest.raises(UsageError, match="没有这个图层"):
        geopackage.read(written, "streets")


def test_progress_tells_all_rows(tmp_path, tables):
    told = {}
    geopackage.write(tmp_path / "a.gpkg", tables, info(), progress=told.__setitem__)
    assert told == {name: rows.num_rows for name, rows in tables.items()}


@pytest.mark.parametrize("layer", GEOMETRY_LAYERS)
def test_styles_are_stored_and_well_formed(written, layer):
    with closing(sqlite3.connect(written)) as db:
        text, default = db.execute(
            "SELECT styleQML, useAsDefault FROM layer_styles WHERE f_table_name = ? AND f_geometry_column = 'geom'",
            (layer,),
        ).fetchone()
    root = ET.fromstring(text)
    rules = root.findall("renderer-v2/rules/rule")
    symbols = {s.get("name") for s in root.findall("renderer-v2/symbols/symbol")}
    assert default == 1 and root.tag == "qgis" and {r.get("symbol") for r in rules} == symbols
    if layer == "incident":
        assert [r.get("label") for r in rules][:-1] == list(CATEGORIES)


def test_styles_cover_just_the_geometry_layers():
    for layer in LAYERS.values():
        if not layer.geometry:
            with pytest.raises(KeyError):
                qgis_styles.qml(layer)


# --- the pages and the nodes by themselves


@pytest.mark.parametrize("count", [0, 1, 51, 52, 2601, 2602, 9000])
def test_packed_nodes_pass_rtreecheck_and_answer_as_brute_force(tmp_path, count):
    random = np.random.default_rng(count)
    x, y = random.normal(110, 5, count), random.normal(-3, 2, count)
    width = random.random(count)
    ids = np.cumsum(random.integers(1, 4, count))
    tree = rtree.pack(ids, x, x + width, y, y)
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE VIRTUAL TABLE t USING rtree(id, minx, maxx, miny, maxy)")
        db.execute("DELETE FROM t_node")
        db.executemany("INSERT INTO t_node VALUES (?, ?)", enumerate((n.tobytes() for n in tree.nodes), 1))
        db.executemany("INSERT INTO t_rowid VALUES (?, ?)", zip(ids.tolist(), tree.node_of.tolist(), strict=True))
        db.executemany("INSERT INTO t_parent VALUES (?, ?)", enumerate(tree.parents.tolist(), 2))
        db.commit()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT rtreecheck('t')").fetchone() == ("ok",)
        for low in (104.0, 109.5, 112.0):
            found = {
                i
                for (i,) in db.execute("SELECT id FROM t WHERE maxx >= ? AND minx <= ? AND miny <= -3", (low, low + 2))
            }
            inside = (x + width >= low) & (x <= low + 2) & (y <= -3)
            assert set(ids[inside].tolist()) <= found
            near = (x + width >= low - 1e-4) & (x <= low + 2 + 1e-4) & (y <= -3 + 1e-4)
            assert found <= set(ids[near].tolist())


TEXTS = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300),
    st.sampled_from(["x" * 477, "x" * 478, "网" * 5000, "x" * 16_300, "x" * 16_350, "y" * 70_000]),
)
ROWS = st.lists(
    st.tuples(
        TEXTS,
        st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
        st.one_of(st.none(), st.floats(allow_nan=False)),
        st.one_of(st.none(), st.booleans()),
        st.one_of(st.none(), st.binary(max_size=200)),
    ),
    max_size=60,
)


@settings(max_examples=30, deadline=None)
@given(
    rows=ROWS,
    page_bytes=st.sampled_from([512, 4096, 16_384, 65_536]),
    repeat=st.sampled_from([1, 1, 40]),
    step=st.integers(1, 500),
)
def test_bulk_loaded_rows_are_what_sqlite_reads(tmp_path_factory, rows, page_bytes, repeat, step):
    path = tmp_path_factory.mktemp("pages") / "a.db"
    rows = [(i * 3 + 1, *row) for i, row in enumerate(rows * repeat)]
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA page_size = {page_bytes}")
        db.execute("CREATE TABLE a (id INTEGER PRIMARY KEY, t TEXT, i INTEGER, f DOUBLE, b BOOLEAN, g BLOB)")
        (root,) = db.execute("SELECT rootpage FROM sqlite_master").fetchone()
    types = (pa.int64(), pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.binary())

    def batches():
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            ids, *columns = (pa.array([r[k] for r in part], type_) for k, type_ in enumerate(types))
            yield sqlite_pages.cells(ids.to_numpy(), columns)

    with sqlite_pages.BulkLoader(path) as loader:
        loader.load(root, batches())
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("SELECT * FROM a").fetchall() == rows
        for row in rows[:: max(1, len(rows) // 5)]:
            assert db.execute("SELECT * FROM a WHERE id = ?", row[:1]).fetchone() == row
        db.execute("INSERT INTO a (t) VALUES ('later')")
        db.execute("DELETE FROM a WHERE id % 2")
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_the_page_of_the_lock_byte_is_left_out(tmp_path):
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA page_size = 65536")
        db.execute("CREATE TABLE a (id INTEGER PRIMARY KEY, t TEXT)")
    with open(path, "r+b") as file:
        file.truncate((0x40000000 // 65_536 - 1) * 65_536)  # a sparse file that ends shortly before the byte
    with sqlite_pages.BulkLoader(path) as loader:
        loader.load(2, [sqlite_pages.cells(np.arange(1, 41), [pa.array(["z" * 30_000] * 40)])])
    with closing(sqlite3.connect(path)) as db:
        told = [line for (line,) in db.execute("PRAGMA integrity_check(100000)") if not line.endswith("is never used")]
        assert told in ([], ["*** in database main ***"])
        assert db.execute("SELECT count(*), sum(length(t)) FROM a").fetchone() == (40, 1_200_000)


@pytest.mark.real
def test_real_tracts_come_back_as_geopandas_read_them(real_data, tmp_path):
    source = gpd.read_file(f"/vsigzip/{real_data}/philadelphia/census_tracts_2020_population.geojson.gz")
    rows = [{"grid_code": f"t{i}", "geom": shapely.to_wkb(shape)} for i, shape in enumerate(source.geometry)]
    geopackage.write(tmp_path / "a.gpkg", {"grid": table("grid", rows)}, info(crs="EPSG:4326", codes="opaque"))
    got = gpd.read_file(tmp_path / "a.gpkg", layer="grid")
    assert got.crs == source.crs and len(got) == len(source) > 400
    assert shapely.equals(got.geometry.array, source.geometry.array).all()
    box = shapely.box(-75.2, 39.95, -75.15, 40.0)
    near = pyogrio.read_dataframe(tmp_path / "a.gpkg", layer="grid", bbox=box.bounds)
    assert set(near["grid_code"]) == {f"t{i}" for i in np.flatnonzero(shapely.intersects(source.geometry.array, box))}
