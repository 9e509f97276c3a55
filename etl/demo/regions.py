"""The grids' shapefile and the areas' GeoJSON."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely

from etl.demo.files import stamp, write_geojson, write_shapefile
from etl.demo.frame import CITY_CODE, CITY_NAME
from etl.demo.plan import City, outlines

GRID_COLUMNS = (
    "网格编码",
    "网格名称",
    "网格类型",
    "所属社区编",
    "人口数",
    "户数",
    "网格员数",
    "启用日期",
)  # cut at 10 bytes


def write_grids(folder: Path, city: City) -> list[Path]:
    """``wangge.shp`` (or ``wangge.zip``) in GB18030 without ``.cpg``; DBF has cut one column name."""
    values = (
        city.codes,
        city.names,
        np.where(city.exclusive, "专属", "基础").astype(object),
        city.communities.codes[city.community],
        city.population.astype(np.int32),
        city.households.astype(np.int32),
        city.staff.astype(np.int32),
        np.full(city.scale.grids, "2024-01-01", dtype=object),
    )
    columns = dict(zip(GRID_COLUMNS, values, strict=True))
    path = write_shapefile(folder, "wangge", city.cells.degrees, columns, city.scale.bulky)
    written = [path] if city.scale.bulky else [path.with_suffix(end) for end in (".shp", ".shx", ".dbf", ".prj")]
    for part in written:
        stamp(part)
    return written


def write_areas(folder: Path, city: City) -> list[Path]:
    """``区域.geojson``: the city, its districts, streets and communities, each the exact union of its grids."""
    scale = city.scale
    communities = outlines(city.cells.degrees, city.community, scale.communities)
    streets = outlines(communities, city.communities.parent, scale.streets)
    districts = outlines(streets, city.streets.parent, scale.districts)
    whole = outlines(districts, np.zeros(scale.districts, int), 1)
    rows, shapes = [], []

    def add(level: str, codes, names, parents, group: np.ndarray, geometry: np.ndarray) -> None:
        people = np.bincount(group, city.population, len(codes)).astype(int)
        homes = np.bincount(group, city.households, len(codes)).astype(int)
        for i, code in enumerate(codes):
            facts = {"代码": str(code), "名称": str(names[i]), "层级": level, "上级代码": parents[i]}
            rows.append({**facts, "人口数": int(people[i]), "户数": int(homes[i])})
        shapes.append(geometry)

    d, s, c = city.districts, city.streets, city.communities
    add("市", [CITY_CODE], [CITY_NAME], [None], np.zeros(scale.grids, int), whole)
    add("区县", d.codes, d.names, [CITY_CODE] * scale.districts, city.district, districts)
    add("镇街", s.codes, s.names, [str(d.codes[p]) for p in s.parent], city.street, streets)
    add("社区村", c.codes, c.names, [str(s.codes[p]) for p in c.parent], city.community, communities)
    path = folder / "区域.geojson"
    write_geojson(path, shapely.normalize(np.concatenate(shapes)), rows)
    stamp(path)
    return [path]
