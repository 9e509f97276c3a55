"""Areas and grids of all their sources as one hierarchy, and what is derived from it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from data.schema import LAYERS
from etl import carry, layers
from etl.extract.raw import Raw
from etl.layers import Traced
from etl.sources import Source, Sources
from etl.threads import aside
from etl.transform import common, points, regions
from etl.transform.common import Context
from etl.transform.incidents import GridIndex
from geo.regions import RegionIndex, topology

MARGIN = 0.2  # the coordinate box outside China: the regions' box and a fifth more on each side


def read_regions(declared: Sources, of_kind, carried: dict[str, Traced], context: Context) -> regions.Hierarchy:
    frames: dict[str, list[pd.DataFrame]] = {"area": [], "grid": []}
    for layer, parts in frames.items():
        if layer in carried:
            kept = carry.region_frame(carried[layer], layer)
            parts.append(kept[kept["run"] != layers.DERIVED])
    # What an earlier release published was judged then.
    judged = [f["geometry"].dropna().tolist() for f in frames["area"]]
    trusted = [gpd.GeoSeries(shapes, crs=context.crs) for shapes in judged if shapes]
    for kind in ("area", "grid"):
        for source, raw, run in of_kind(kind):
            keep = common.admit(raw, source, context, run)
            frame = regions.read(raw, source, context, run, keep, pd.concat(trusted) if trusted else None)
            frames[kind].append(frame)
            if kind == "area" and frame["geometry"].notna().any() and _trusted(source, raw, context, run):
                trusted.append(gpd.GeoSeries(frame["geometry"].dropna().tolist(), crs=context.crs))
    area, grid = (pd.concat(frames[k], ignore_index=True) if frames[k] else _no_rows(k) for k in ("area", "grid"))
    codes = declared.release.codes
    context.china = codes == "china" or (
        codes == "auto"
        and regions.looks_chinese(
            *((grid["grid_code"], grid["geometry"]) if len(grid) else (area["code"], area["geometry"]))
        )
    )
    area, grid = regions.check_codes(area, "area", context), regions.check_codes(grid, "grid", context)
    area = _one_each(area, "code", context, drawn_only=False)
    grid = _one_each(grid, "grid_code", context, drawn_only=True)
    tree = regions.hierarchy(area, grid, context)
    communities = tree.areas.loc[tree.areas["level"] == "community", "code"]
    context.communities = frozenset(communities) | frozenset(tree.grids["grid_code"].astype(str).str[:12])
    return tree


def _one_each(frame: pd.DataFrame, code: str, context: Context, *, drawn_only: bool) -> pd.DataFrame:
    """Identity inside each source (a later file wins), then the sources put together."""
    runs = context.accounts.runs
    frame = frame.assign(source=[runs[r].source_id if r >= 0 else "" for r in frame["run"]])
    frame = frame.iloc[layers.settle(frame, ["source", code, "valid_from"], context.accounts)].drop(columns="source")
    return regions.complete(frame.reset_index(drop=True), code, context, drawn_only=drawn_only)


def _trusted(source: Source, raw: Raw, context: Context, run: int) -> bool:
    """Boundaries whose datum is told (CGCS2000, a projected CRS, or by sources.toml) can judge others; a plain GeoJSON
    in China cannot."""
    if source.crs != "auto":
        return True
    detected = context.accounts.runs[run].crs_detected or ""
    return detected in ("gcj02", "bd09") or (raw.crs is not None and detected not in ("EPSG:4326", "OGC:CRS84"))


def _no_rows(layer: str) -> pd.DataFrame:
    return pd.DataFrame(
        {n: pd.Series(dtype=object) for n in (*LAYERS[layer].names, "geometry")}
        | {"run": pd.Series(dtype=np.int64), "row": pd.Series(dtype=np.int64)}
    )


def grid_index(tree: regions.Hierarchy, context: Context, valid: np.ndarray) -> GridIndex:
    frame = tree.grids[valid]
    shapes = np.array([*frame["geometry"], None], object)[:-1]
    codes = pa.array(frame["grid_code"].tolist(), pa.string())
    drawn = np.array([*tree.areas["geometry"].dropna(), None], object)[:-1]
    box = points.CHINA_BOX if context.china else None
    if box is None and (shapes.size or drawn.size):
        west, south, east, north = shapely.total_bounds(np.concatenate([shapes, drawn]))
        dx, dy = MARGIN * (east - west), MARGIN * (north - south)
        box = (west - dx, south - dy, east + dx, north + dy)
    return GridIndex(codes, aside(RegionIndex, shapes) if shapes.size else None, box)


def topology_note(tree: regions.Hierarchy, context: Context, valid: np.ndarray) -> dict:
    """Of the valid grids: overlaps, gaps, and grids outside their community, as quality.json tells them (areas in m², worst first)."""
    grids = tree.grids[valid]
    if grids.empty:
        return {}
    shapes = gpd.GeoSeries(grids["geometry"].tolist(), crs=context.crs)
    drawn = dict(zip(tree.areas["code"], tree.areas["geometry"], strict=True))
    parents = np.array([*(drawn.get(c) for c in grids["community_code"]), None], object)[:-1]
    found = topology(shapes, parents=parents if any(p is not None for p in parents) else None)
    codes = grids["grid_code"].tolist()
    overlaps = sorted(found.overlaps, key=lambda o: -o.area_m2)
    outside = sorted(found.outside_parent, key=lambda o: -o.area_m2)
    gaps = sorted(found.gaps, key=lambda g: -g.area_m2)
    return {
        "tolerance_m2": found.tolerance_m2,
        "overlaps": len(overlaps),
        "overlap_m2": round(sum(o.area_m2 for o in overlaps), 1),
        "worst_overlaps": [[codes[o.first], codes[o.second], round(o.area_m2, 1)] for o in overlaps[:20]],
        "gaps": len(gaps),
        "gap_m2": round(sum(g.area_m2 for g in gaps), 1),
        "worst_gaps": [
            [round(c, 6) for c in (g.polygon.centroid.x, g.polygon.centroid.y)] + [round(g.area_m2, 1)]
            for g in gaps[:20]
        ],
        "outside_community": len(outside),
        "worst_outside_community": [[codes[o.position], round(o.area_m2, 1)] for o in outside[:20]],
        "repaired": len(found.repaired),
    }


def roots(tree: regions.Hierarchy) -> list[str]:
    """The areas that together make the city: those without a parent that hold grids."""
    codes = set(tree.areas["code"])
    top = tree.areas[~tree.areas["parent_code"].isin(codes)]
    if tree.grids.empty:
        return top["code"].tolist()
    parent = dict(zip(tree.areas["code"], tree.areas["parent_code"], strict=True))
    held: set[str] = set()
    for name in regions.UPPER:
        for code in tree.grids[f"{name}_code"].dropna().unique():
            while isinstance(code, str) and code not in held:
                held.add(code)
                code = parent.get(code)
    return [c for c in top["code"] if c in held]
