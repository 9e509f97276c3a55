"""A hotspot layer as rows: the features of the map with their properties as columns."""

from __future__ import annotations

import json

import pyarrow as pa

from data.selection import Selection
from data.store.exporting.export import GEOJSON, Export
from data.store.exporting.places import ANY_SHAPE
from data.store.hotspots import hotspots
from data.store.release import Release
from data.store.scope import Scope

_TEXT, _WHOLE, _REAL = pa.string(), pa.int64(), pa.float64()
_UNITS = (("code", _TEXT), ("name", _TEXT), ("level", _TEXT), ("label", _TEXT), ("number", _WHOLE), ("count", _WHOLE),
          ("before", _WHOLE), ("z", _REAL), ("p", _REAL), ("q", _REAL))  # fmt: skip
# Stated and not taken from the features, so that a layer without any has its columns too.
COLUMNS = {
    "gi": _UNITS,
    "lisa": _UNITS,
    "emerging": _UNITS,
    "kde": (("class", _WHOLE), ("from_per_km2", _REAL), ("to_per_km2", _REAL), ("area_km2", _REAL)),
    "repeat_places": (("count", _WHOLE), ("first", _TEXT), ("last", _TEXT), ("share_pct", _REAL), ("categories", _TEXT),
                      ("category_pct", _TEXT), ("grid_code", _TEXT), ("grid_name", _TEXT)),
    "near_repeat": (("metres", _REAL), ("days", _REAL)),
}  # fmt: skip


def found_hotspots(release: Release, selection: Selection, scope: Scope, method: str, level: str) -> Export:
    """What :func:`data.store.hotspots.hotspots` answers; a property that is no plain value becomes JSON text.

    Raises
    ------
    ParameterError, OutsideScope, UnknownArea
    """
    answer = hotspots(release, selection, scope, method, level=level)
    features = [json.loads(text) for text in answer.features]
    columns = {
        name: pa.array([_plain(one["properties"].get(name)) for one in features], kind)
        for name, kind in COLUMNS[method]
    }
    shapes = [json.dumps(one["geometry"]) if one["geometry"] else None for one in features]
    columns[GEOJSON] = pa.array(shapes, _TEXT)
    return Export.of_table("hotspots", selection, {**answer.meta, "method": method}, pa.table(columns), ANY_SHAPE)


def _plain(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value
