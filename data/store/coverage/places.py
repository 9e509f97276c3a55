"""The places the rules of 天网 and 地网 are about: key places, areas and lines, and the crossings of the road network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
import sqlalchemy as sa

from data.store.layers import PLACE_LAYERS, layer_rows
from data.store.metres import in_degrees, in_metres
from data.store.release import Release
from geo.coverage import RULES, road_junctions
from geo.regions import assign

CROSSING = RULES["tw1"].kinds[0]
_BESIDE_M = 0.2  # a road within this of a crossing passes it: crossings are rounded to 0.1 m


@dataclass(frozen=True)
class Places:
    """Places and entrances; arrays of shape (n,).

    Attributes
    ----------
    frame : DataFrame
        ``place_id, name, kind``, ``parent`` (position of the place an entrance belongs to, -1 for none) and ``grid``
        (position of the grid it counts in, -1 for none): an entrance counts where its place does.
    shapes : ndarray of shapely geometry
        In the metre CRS of the release; missing where there is none.
    """

    frame: pd.DataFrame
    shapes: np.ndarray


def places(release: Release) -> Places:
    """Everything the rules look at; made once.

    Crossings are those the source names (kind 路口, 交叉口 or 道路交叉口), else the nodes of the road network where three
    or more roads meet.
    """
    return release.remember("rule places", lambda: _gather(release))


def _gather(release: Release) -> Places:
    frames, shapes = [], []
    for layer in PLACE_LAYERS:
        rows = layer_rows(release, layer)
        frames.append(rows.table.select(["place_id", "name", "kind", "parent_id"]).to_pandas().assign(grid=rows.grid))
        shapes.append(in_metres(release, rows.shapes))
    frame = pd.concat(frames, ignore_index=True)
    if not frame["kind"].isin(RULES["tw1"].kinds).any():
        crossings, spots = _crossings(release)
        frame = pd.concat([frame, crossings], ignore_index=True)
        shapes.append(spots)
    parent = _positions(frame["place_id"], frame["parent_id"])
    grid = frame["grid"].to_numpy(np.int64)
    frame = frame.drop(columns="parent_id").assign(parent=parent, grid=np.where(parent >= 0, grid[parent], grid))
    return Places(frame, np.concatenate(shapes))


def _positions(identity: pd.Series, parent: pd.Series) -> np.ndarray:
    """Position of each row's parent, -1 for none; the first where several carry its number."""
    first = {name: i for i, name in reversed(list(enumerate(identity)))}
    return np.array([first.get(name, -1) if isinstance(name, str) else -1 for name in parent], np.int64)


def _crossings(release: Release) -> tuple[pd.DataFrame, np.ndarray]:
    rows = release.rows(sa.select(sa.column("name"), sa.column("geom")).select_from(sa.table("base_road")))
    roads = in_metres(release, shapely.from_wkb(rows["geom"].to_numpy()))
    roads = np.where(shapely.is_missing(roads), shapely.MultiLineString(), roads)
    spots = shapely.points(road_junctions(roads))
    lon, lat = shapely.get_coordinates(in_degrees(release, spots)).T
    outlines = shapely.from_geojson(np.array(release.shapes("grid", "near"), dtype=object))
    frame = pd.DataFrame(
        {
            "place_id": [f"路口{x:.5f},{y:.5f}" for x, y in zip(lon, lat, strict=True)],
            "name": _crossing_names(spots, roads, rows["name"].to_pylist()),
            "kind": CROSSING,
            "parent_id": None,
            "grid": assign(lon, lat, outlines),
        }
    )
    return frame, spots


def _crossing_names(spots: np.ndarray, roads: np.ndarray, names: list) -> list[str | None]:
    """The named roads that meet at each crossing, joined; None where none has a name."""
    spot, road = shapely.STRtree(roads).query(spots, predicate="dwithin", distance=_BESIDE_M)
    met: list[set[str]] = [set() for _ in spots]
    for i, j in zip(spot.tolist(), road.tolist(), strict=True):
        if names[j]:
            met[i].add(names[j])
    return [" × ".join(sorted(roads_here)) or None for roads_here in met]
