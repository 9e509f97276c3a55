"""GeoJSON (RFC 7946: longitude, latitude) with the head in ``meta``, written as it is read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from dashboard.exports.facts import Fact
from dashboard.json_texts import json_texts
from data.store.exporting import GEOJSON, POINT, Export


def geojson_chunks(export: Export, facts: Iterable[Fact]) -> Iterator[bytes]:
    """The file in pieces; the first is the head."""
    stated = {fact.key: fact.text for fact in facts}
    # Texts for readers stand under ``words``; what programs read keeps the names of the API's own meta.
    meta = {**export.meta, "layer": export.layer, "rows": export.rows, "query": stated["query"],
            "generated_at": stated["generated_at"], "words": stated}  # fmt: skip
    text = json.dumps(meta, ensure_ascii=False, separators=(",", ":"), default=str)
    yield f'{{"type":"FeatureCollection","meta":{text},"features":['.encode()
    before = ""
    for batch in export.batches():
        if batch.num_rows:
            yield (before + ",\n".join(_features(export, batch).to_pylist())).encode()
            before = ",\n"
    yield b"]}\n"


def _features(export: Export, batch: pa.Table) -> pa.ChunkedArray:
    pieces: list = ['{"type":"Feature","geometry":', _geometry(export, batch), ',"properties":{']
    shown = [name for name in export.columns.names if not (export.geometry == POINT and name in ("lon", "lat"))]
    for number, name in enumerate(shown):
        label = json.dumps(name, ensure_ascii=False)
        pieces += [("," if number else "") + label + ":", json_texts(batch[name])]
    return pc.binary_join_element_wise(*pieces, "}}", "")


def _geometry(export: Export, batch: pa.Table) -> pa.ChunkedArray:
    if export.geometry != POINT:
        return pc.fill_null(batch[GEOJSON], "null")
    lon, lat = (batch[name].cast(pa.string()) for name in ("lon", "lat"))
    points = pc.binary_join_element_wise('{"type":"Point","coordinates":[', lon, ",", lat, "]}", "")
    return pc.fill_null(points, "null")
