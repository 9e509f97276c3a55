"""What the base map draws and the places that matter: roads, water, buildings, key places and key areas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely

from etl.demo.files import stamp, write_geojson, write_layers
from etl.demo.frame import CITY_NAME, generator, to_degrees
from etl.demo.names import invented
from etl.demo.plan import City
from etl.demo.planted import Planted

_PLACES = {"学校": 46, "幼儿园": 30, "医院": 12, "车站": 6, "广场": 8, "市场": 20, "银行网点": 30}
_ENTRANCES = {"学校": 2, "医院": 2, "车站": 3, "市场": 2}
_AREAS = {"商圈": 4, "校园周边": 5, "车站地区": 3, "治安重点地区": 4}


def in_degrees(shapes: np.ndarray) -> np.ndarray:
    """Shapes in local metres to CGCS2000 degrees, 7 decimals."""
    return shapely.transform(shapes, lambda xy: np.round(np.column_stack(to_degrees(xy[:, 0], xy[:, 1])), 7))


def roads(city: City) -> tuple[list[str], list[str], np.ndarray]:
    """Names, classes and lines (local metres): main roads, then streets along the borders of communities and grids."""
    rng = generator(city.seed, "roads")
    land = shapely.union_all([polygon for _, _, polygon in city.layout.water])
    outline = shapely.coverage_union_all(city.cells.metres)
    names, kinds, lines = [], [], []
    for road in city.layout.roads:
        line = shapely.intersection(shapely.LineString(road.xy), outline.buffer(400))
        names.append(road.name)
        kinds.append(road.kind)
        lines.append(line)
    main = shapely.union_all([line for line, kind in zip(lines, kinds, strict=True) if kind != "高速"]).buffer(
        45, quad_segs=2
    )
    shapely.prepare([land, main])
    edges = city.cells.edges
    dry = ~shapely.intersects(land, edges) & ~shapely.contains(main, edges)
    left, right = city.community[city.cells.pairs].T
    border = left != right
    dense = city.layout.density(city.cells.xy)[city.cells.pairs].min(axis=1)
    chosen = {
        "次干路": dry & border & (dense > 2.2),
        "支路": dry & ~border & (dense > 2.6) & (rng.random(len(edges)) < 0.8),
        "乡道": dry & border & (dense <= 2.2) & (rng.random(len(edges)) < 0.55),
    }
    stems = invented(400, rng)
    ending = {"次干路": "路", "支路": "巷", "乡道": "线"}
    for kind, mask in chosen.items():
        low, high = np.minimum(left[mask], right[mask]), np.maximum(left[mask], right[mask])
        order = np.lexsort([high, low])
        key = low[order] * city.scale.communities + high[order]
        for part in np.split(np.flatnonzero(mask)[order], np.flatnonzero(np.diff(key)) + 1):
            if len(part):
                lines.append(shapely.line_merge(shapely.multilinestrings(edges[part])))
                kinds.append(kind)
                names.append(f"{stems[int(part[0]) % len(stems)]}{ending[kind]}")
    return names, kinds, np.array(lines, dtype=object)


def buildings(city: City) -> np.ndarray:
    """Rows of slabs in the grids nearest to the centre, clear of borders and water, local metres."""
    rng = generator(city.seed, "buildings")
    made: list[np.ndarray] = []
    count = 0
    for i in np.argsort(np.hypot(*city.cells.xy.T), kind="stable"):
        if count >= city.scale.buildings:
            break
        yard = city.cells.metres[i].buffer(-16)
        if yard.is_empty:
            continue
        turn = rng.normal(0.16, 0.05)
        west, south, east, north = yard.bounds
        length, depth = rng.uniform(32, 62), rng.uniform(11, 15)
        across = np.arange(west - 200, east + 200, length + rng.uniform(12, 22))
        up = np.arange(south - 200, north + 200, depth + rng.uniform(17, 30))
        x, y = (a.ravel() for a in np.meshgrid(across, up))
        size = rng.uniform(0.72, 1.0, x.size) * length / 2
        corners = np.stack(
            [np.column_stack([x + sx * size, y + sy * depth / 2]) for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))], 1
        )
        home = city.cells.xy[i]
        rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        slabs = shapely.polygons((corners - home) @ rotation + home)
        shapely.prepare(yard)
        slabs = slabs[shapely.contains(yard, slabs) & (rng.random(len(slabs)) < 0.86)]
        centre = shapely.get_coordinates(shapely.centroid(slabs))
        slabs = slabs[~city.layout.wet(centre, 35)] if len(slabs) else slabs
        made.append(slabs)
        count += len(slabs)
    return np.concatenate(made)[: city.scale.buildings]


def write_base(folder: Path, city: City) -> tuple[list[Path], dict[str, int]]:
    """``底图.gpkg`` with the layers road, building and water."""
    names, kinds, lines = roads(city)
    houses = buildings(city)
    path = folder / "底图.gpkg"
    water = city.layout.water
    outline = shapely.coverage_union_all(city.cells.metres).buffer(2000)
    pools = np.array([shapely.intersection(polygon, outline) for _, _, polygon in water], dtype=object)
    layers = {
        "road": ("MultiLineString", _multi(lines), {"name": _text(names), "kind": _text(kinds)}),
        "building": (
            "MultiPolygon",
            _multi(houses),
            {"name": _text([""] * len(houses)), "kind": _text(["住宅"] * len(houses))},
        ),
        "water": (
            "MultiPolygon",
            _multi(pools),
            {"name": _text([w[0] for w in water]), "kind": _text([w[1] for w in water])},
        ),
    }
    write_layers(path, {name: (kind, in_degrees(shapes), columns) for name, (kind, shapes, columns) in layers.items()})
    stamp(path)
    return [path], {"roads": len(lines), "buildings": len(houses), "waters": len(pools)}


def write_places(folder: Path, city: City, planted: Planted) -> tuple[list[Path], dict[str, int]]:
    """``重点场所.geojson`` (points; entrances name their place) and ``重点区域.geojson`` (polygons)."""
    rng = generator(city.seed, "places")
    scale = city.scale
    rows: list[dict] = []
    spots: list[np.ndarray] = []
    weight = city.layout.density(city.cells.xy) * ~city.layout.wet(city.cells.xy, 120)
    stems = invented(1200, rng)

    def put(kind: str, grid: int, name: str, xy: np.ndarray | None = None, parent: str | None = None) -> str:
        number = f"CS{len(rows) + 1:05d}"
        rows.append({"place_id": number, "名称": name, "类型": kind, "上级场所": parent, "网格编码": city.codes[grid]})
        spots.append(city.cells.xy[grid] if xy is None else xy)
        return number

    for kind, count in _PLACES.items():
        for grid in rng.choice(scale.grids, count * scale.places, replace=False, p=weight / weight.sum()):
            name = stems[int(rng.integers(0, len(stems)))] + kind
            number = put(kind, grid, name)
            free_m = shapely.distance(city.cells.metres[grid].boundary, shapely.Point(city.cells.xy[grid]))
            for gate in range(_ENTRANCES.get(kind, 0)):
                turn = 2 * np.pi * (gate / _ENTRANCES[kind] + rng.uniform(0, 0.2))
                away = min(45.0, 0.7 * free_m) * np.array([np.cos(turn), np.sin(turn)])
                put("出入口", grid, f"{name}{'东南西北'[gate]}门", city.cells.xy[grid] + away, number)
    seats = (
        ((CITY_NAME,), np.zeros((1, 2))),
        (city.districts.names, city.districts.xy),
        (city.streets.names, city.streets.xy),
    )
    for names, where in seats:
        for name, xy in zip(names, where, strict=True):
            grid = int(np.argmin(np.hypot(*(city.cells.xy - xy).T)))
            put("综治中心", grid, f"{name}综治中心")
    put("派出所", planted.station_grid, f"{city.streets.names[planted.station_street]}派出所", planted.station)
    path = folder / "重点场所.geojson"
    write_geojson(path, in_degrees(shapely.points(np.array(spots))), rows)

    shapes, facts = [], []
    angle = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    for kind, count in _AREAS.items():
        for grid in rng.choice(scale.grids, count * scale.places, replace=False, p=weight / weight.sum()):
            reach = rng.uniform(140, 340) * (
                1 + 0.18 * np.cos(2 * angle + rng.uniform(0, 6)) + 0.08 * np.cos(5 * angle)
            )
            ring = city.cells.xy[grid] + np.column_stack([reach * np.cos(angle), reach * np.sin(angle)])
            shapes.append(shapely.Polygon(ring))
            facts.append(
                {"place_id": f"QY{len(facts) + 1:04d}", "名称": stems[int(rng.integers(0, 1200))] + kind, "类型": kind}
            )
    areas = folder / "重点区域.geojson"
    write_geojson(areas, in_degrees(np.array(shapes)), facts)
    for written in (path, areas):
        stamp(written)
    return [path, areas], {"key_places": len(rows), "key_areas": len(facts)}


def _multi(shapes: np.ndarray) -> np.ndarray:
    single = {1: shapely.multilinestrings, 3: shapely.multipolygons}
    kinds = shapely.get_type_id(shapes)
    return np.array([single[k]([s]) if k in single else s for s, k in zip(shapes, kinds, strict=True)], dtype=object)


def _text(values: list[str]) -> np.ndarray:
    return np.array(values, dtype=object)
