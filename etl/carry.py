"""The release that `--append` adds to, back in the form it was built from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from data import geopackage, releases
from data.release_info import ReleaseInfo
from data.schema import LAYERS
from etl import layers
from etl.accounts import Accounts, Run
from etl.faults import SourcesFileError
from etl.layers import Traced
from etl.sources import Sources
from etl.transform import incidents, placing, regions
from etl.transform.incidents import Part


def earlier_layers(previous: Path, accounts: Accounts) -> dict[str, Traced]:
    """The layers of the release that is added to, their runs opened with the counts they had."""
    package = previous / releases.GEOPACKAGE
    for row in geopackage.read(package, "source_run").to_pylist():
        del row["rows_out"]  # follows from the other two
        accounts.open(Run(carried=True, **row))
    accounts.carry(geopackage.read(package, "reject"))
    out = {}
    for layer in (
        "area",
        "grid",
        "incident",
        "dispute_stat",
        "report_status",
        "camera",
        "key_place",
        "key_area",
        "key_line",
        "base_road",
        "base_building",
        "base_water",
    ):
        table = geopackage.read(package, layer)
        came = layers.read_origin(previous / releases.QUERY_INDEX, layer)
        run, row = (came[name].to_numpy().astype(np.int64) for name in ("run", "row"))
        out[layer] = Traced(table, run, row, came)
    return out


def earlier_info(previous: Path, declared: Sources) -> ReleaseInfo:
    """What the release that is added to says of itself.

    Raises
    ------
    SourcesFileError
        It holds rows of a source that is no longer declared, which could neither fall silent nor be explained.
    """
    info = geopackage.read_info(previous / releases.GEOPACKAGE)
    gone = [s.source_id for s in info.sources if s.rows and s.source_id not in {d.id for d in declared.source}]
    if gone:
        raise SourcesFileError(
            "当前发布中的来源不在清单里",
            where="sources.toml",
            found="、".join(gone),
            remedy="补回这些来源，或不用 --append 全部重做",
        )
    return info


def earlier_notes(previous: Path) -> dict[str, dict]:
    """What the release that is added to told of each source's files: words not known, datum evidence, dropped columns.
    Counts that are made anew over all incidents are left out."""
    try:
        told = json.loads((previous / releases.QUALITY).read_text("utf-8"))["sources"]
    except (OSError, ValueError, KeyError):
        return {}
    anew = {"kind", "rows_in", "rows_out", "rows_rejected", "rejects", "files", *placing.PLACED_NOTES}
    return {source: {k: v for k, v in notes.items() if k not in anew} for source, notes in told.items()}


def region_frame(traced: Traced, layer: str) -> pd.DataFrame:
    """A carried layer in the form of :func:`regions.read`."""
    frame = pd.DataFrame({"run": traced.run, "row": traced.row})
    for column in LAYERS[layer].columns:
        values = traced.table[column.name]
        if column.type == pa.string():
            frame[column.name] = np.array([*values.to_pylist(), None], object)[:-1]
        elif column.type == pa.date32():
            frame[column.name] = pd.array(values.to_numpy().astype("datetime64[s]"))
        else:
            frame[column.name] = values.to_pandas(types_mapper=pd.ArrowDtype)
    frame["geometry"] = np.array([*shapely.from_wkb(traced.table["geom"].to_numpy()), None], object)[:-1]
    # What was derived then is derived anew: only what a source said or drew is carried.
    for name in regions.DERIVED[layer]:
        frame[name] = np.array([*traced.declared[name].to_pylist(), None], object)[:-1]
    if layer == "area":
        frame.loc[~traced.declared["drawn"].to_numpy(zero_copy_only=False).astype(bool), "geometry"] = None
    return frame


def incident_parts(traced: Traced, info: ReleaseInfo) -> list[Part]:
    """The incidents of an earlier release as parts again, with the codes that were declared."""
    precision = {s.source_id: s.precision for s in info.sources}
    table = traced.table
    source_ids = table["source_id"].combine_chunks().dictionary_encode()
    picks = source_ids.indices.to_numpy(zero_copy_only=False)

    def coded(name: str, of: pa.Table = table) -> pa.DictionaryArray:
        chunks = [c.cast(pa.string()) for c in of[name].chunks]
        return (pa.concat_arrays(chunks) if chunks else pa.array([], pa.string())).dictionary_encode()

    def moments(name: str) -> np.ndarray:
        return table[name].to_numpy().astype("datetime64[s]")

    whole = Part(
        "",
        traced.run.astype(np.int32),
        traced.row.astype(np.int32),
        pa.concat_arrays(table["incident_id"].chunks) if table.num_rows else pa.array([], pa.string()),
        moments("occurred_from"),
        moments("occurred_to"),
        moments("recorded_at"),
        *(coded(n) for n in ("category", "subcategory", "status", "place_type")),
        {n: coded(n, traced.declared) for n in incidents.DECLARED},
        table["x"].to_numpy().astype(float),
        table["y"].to_numpy().astype(float),
        *(
            traced.declared[name].to_numpy(zero_copy_only=False).astype(bool)
            for name in ("coarse", "centred", "outside")
        ),
    )
    out = []
    for i, source_id in enumerate(source_ids.dictionary.to_pylist()):
        part = whole.take(np.flatnonzero(picks == i))
        part.source_id, part.precision = source_id, precision.get(source_id) or part.precision
        out.append(part)
    return out
