"""Cameras and key places, all that stand in the selected area and the scope."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import shapely

from data.selection import Selection
from data.store.exporting.export import GEOJSON, POINT, Export
from data.store.layers import PLACE_LAYERS, in_reach, layer_rows
from data.store.release import Release
from data.store.scope import Scope

ANY_SHAPE = "Unknown"


def cameras(release: Release, selection: Selection, scope: Scope) -> Export:
    """Cameras with their place; those without a usable point keep null coordinates.

    Raises
    ------
    OutsideScope, UnknownArea
    """
    table, shapes = _reached(release, "camera", selection, scope)
    return Export.of_table("cameras", selection, _meta(release, selection, scope, table), _placed(table, shapes), POINT)


def key_places(release: Release, selection: Selection, scope: Scope) -> Export:
    """Key places, areas and lines; ``layer`` names which, ``lon`` and ``lat`` are a point of it.

    Raises
    ------
    OutsideScope, UnknownArea
    """
    parts = []
    for layer in PLACE_LAYERS:
        table, shapes = _reached(release, layer, selection, scope)
        table = table.append_column("layer", pa.array([layer] * table.num_rows, pa.string()))
        outlines = pa.array(shapely.to_geojson(shapes), pa.string(), from_pandas=True)
        parts.append(_placed(table, shapes).append_column(GEOJSON, outlines))
    table = pa.concat_tables(parts)
    return Export.of_table("key_places", selection, _meta(release, selection, scope, table), table, ANY_SHAPE)


def _reached(release: Release, layer: str, selection: Selection, scope: Scope) -> tuple[pa.Table, np.ndarray]:
    """Rows of a layer in the area and the scope, and their shapes in degrees."""
    area = None if selection.area is None else release.units.allowed(selection.area, scope)
    rows = layer_rows(release, layer)
    shown = in_reach(release, rows.grid, area, scope)
    return rows.table.filter(pa.array(shown)), rows.shapes[shown]


def _placed(table: pa.Table, shapes: np.ndarray) -> pa.Table:
    """The table with a point of each shape; null where there is none."""
    inside = shapely.point_on_surface(shapes)
    for name, values in (("lon", shapely.get_x(inside)), ("lat", shapely.get_y(inside))):
        table = table.append_column(name, pa.array(values, pa.float64(), from_pandas=True))
    return table


def _meta(release: Release, selection: Selection, scope: Scope, table: pa.Table) -> dict:
    return {
        **release.base_meta(),
        "selection": {"area": selection.area},
        "scope": scope.to_meta(),
        "matched": table.num_rows,
        "returned": table.num_rows,
    }
