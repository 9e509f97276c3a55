"""A release with rows in every layer, each agreeing with the others, for the tests of the file and its check."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import shapely

from data.release_info import ReleaseInfo, SourceInfo
from data.schema import CATEGORIES, LAYERS

WEST, SOUTH, SIDE = 102.6, 37.9, 0.01
CITY, DISTRICT, STREET = "620600", "620602", "620602001"


def info(**changes) -> ReleaseInfo:
    values = {
        "release_id": "r20260101-000000", "title": "合成市", "crs": "EPSG:4490", "timezone": "Asia/Shanghai",
        "codes": "china", "created_at": "2026-01-01T00:00:00Z", "data_as_of": "2026-01-01T00:00:00",
        "code_version": "0.1.0", "synthetic": True,
        "sources": (SourceInfo("jq110", "incident", ("警情.csv",), 500, cadence="week", precision="minute"),),
    }  # fmt: skip
    return ReleaseInfo(**{**values, **changes})


def table(layer: str, rows: list[dict]) -> pa.Table:
    """Rows with the columns left out null."""
    schema = LAYERS[layer].arrow_schema()
    return pa.table({f.name: pa.array([row.get(f.name) for row in rows], f.type) for f in schema}, schema=schema)


def square(column: int, row: int, width: int = 1, height: int = 1) -> shapely.Polygon:
    # Corners come from their own place in the lattice, so that neighbours share them exactly.
    x, y = (lambda i: WEST + i * SIDE), (lambda i: SOUTH + i * SIDE)
    return shapely.box(x(column), y(row), x(column + width), y(row + height))


def wkb(*parts: shapely.Polygon) -> bytes:
    return shapely.to_wkb(shapely.multipolygons(list(parts)))


def regions() -> tuple[list[dict], list[dict]]:
    """6 communities side by side with 6 grids in each, one above the other, and the areas they are in."""
    communities = [f"{STREET}{i + 1:03d}" for i in range(6)]
    grids = [f"{code}{k + 1:03d}" for code in communities for k in range(6)]
    area = [
        {"code": CITY, "name": "合成市", "level": "city", "geom": wkb(square(0, 0, 6, 6))},
        {"code": DISTRICT, "name": "合成区", "level": "district", "parent_code": CITY, "geom": wkb(square(0, 0, 6, 6))},
        {"code": STREET, "level": "street", "parent_code": DISTRICT, "geom": wkb(square(0, 0, 6, 6))},
        *(
            {
                "code": code,
                "level": "community",
                "parent_code": STREET,
                "population": 2000,
                "geom": wkb(square(i, 0, 1, 6)),
            }
            for i, code in enumerate(communities)
        ),
    ]
    grid = [
        {
            "grid_code": code, "name": f"第{i % 6 + 1}网格", "kind": "基础" if i % 5 else "专属",
            "community_code": code[:12], "street_code": STREET, "district_code": DISTRICT, "staff_count": i % 3,
            "valid_from": date(2020, 1, 1), "geom": wkb(square(i // 6, i % 6)),
        }
        for i, code in enumerate(grids)
    ]  # fmt: skip
    return area, grid


def incidents(count: int, grids: list[str], seed: int) -> list[dict]:
    """Points inside their grids; one in twenty has none."""
    random = np.random.default_rng(seed)
    rows = []
    for i in range(count):
        g = int(random.integers(len(grids)))
        when = datetime(2025, 1, 1) + timedelta(minutes=int(random.integers(500_000)))
        placed = random.random() < 0.95
        x, y = WEST + (g // 6 + random.random()) * SIDE, SOUTH + (g % 6 + random.random()) * SIDE
        rows.append({
            "incident_id": f"A{i:05d}", "occurred_from": when, "category": CATEGORIES[i % len(CATEGORIES)],
            "occurred_to": when + timedelta(hours=1) if i % 3 else None, "recorded_at": when + timedelta(minutes=9),
            "subcategory": "盗窃" * (i % 40), "grid_code": grids[g], "community_code": grids[g][:12],
            "street_code": STREET, "district_code": DISTRICT, "source_id": "jq110",
            "location_quality": "exact" if placed else "none", "x": x if placed else None, "y": y if placed else None,
        })  # fmt: skip
    return rows


def city(count: int = 500, seed: int = 7) -> dict[str, pa.Table]:
    """A release of ``count`` incidents."""
    area, grid = regions()
    grids = [row["grid_code"] for row in grid]
    start = datetime(2025, 1, 1)
    camera = [
        {
            "camera_code": f"3402000000132{i:07d}", "network": "天网", "bearing_deg": 45.0 * i, "fov_deg": 60.5,
            "range_m": 80.0, "online": (True, False, None)[i % 3], "hd": True, "device_state": "在用",
            "serviceable_pct": 98.5, "status_at": start, "installed_on": date(2021, 5, 6), "grid_code": grids[i],
            "x": WEST + (i // 6 + 0.5) * SIDE, "y": SOUTH + (i % 6 + 0.5) * SIDE,
        }
        for i in range(9)
    ]  # fmt: skip
    circle = shapely.to_wkb(shapely.Point(WEST, SOUTH).buffer(0.001))
    line = shapely.to_wkb(shapely.MultiLineString([[(WEST, SOUTH), (WEST + 0.05, SOUTH + 0.05)]]))
    period = {"period_start": date(2025, 1, 6), "period_end": date(2025, 1, 13), "area_code": f"{STREET}001"}
    place = {"name": "合成小学", "kind": "学校", "grid_code": grids[0], "attributes": json.dumps({"班级": 12})}
    file = {"source_id": "jq110", "file": "警情.csv"}
    rows = {
        "area": area,
        "grid": grid,
        "incident": incidents(count, grids, seed),
        "dispute_stat": [{**period, "found": 8, "accepted": 0, "closed_level": "村", "source_id": "t"}],
        "report_status": [{**period, "dataset": "t", "state": "zero", "due_at": start}],
        "camera": camera,
        "camera_coverage": [{**camera[0], "method": "radius", "area_m2": 31415.9, "geom": circle}],
        "key_place": [{"place_id": "p1", **place, "x": WEST + 0.001, "y": SOUTH + 0.001}],
        "key_area": [{"place_id": "a1", **place, "geom": wkb(square(0, 0))}],
        "key_line": [{"place_id": "l1", **place, "geom": line}],
        "indicator": [{**period, "indicator_id": "k", "value": 0.989, "state": "reported", "source_id": "t"}],
        "alert": [{"alert_id": "w1", "kind": "升高", "window_start": start, "severity": "需关注"}],
        "base_road": [{"name": "和平路", "kind": "主干", "geom": line}],
        "base_building": [{"geom": wkb(square(2, 2))}],
        "base_water": [{"name": "河", "kind": "河流", "geom": wkb(square(3, 3))}],
        "source_run": [
            {
                **file,
                "sha256": "0" * 64,
                "rows_in": count + 3,
                "rows_out": count,
                "rows_rejected": 3,
                "started_at": start,
            }
        ],
        "reject": [
            {**file, "row": 9 + i, "reason_code": "unreadable_date", "reason": "发生时间读不出来"} for i in range(3)
        ],
    }
    return {name: table(name, layer_rows) for name, layer_rows in rows.items()}
