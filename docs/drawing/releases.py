"""The two releases the figures are drawn from, in metres: Philadelphia (real) and the demo city (synthetic)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from geo.autocorrelation import Neighbours, contiguity
from geo.crs import metre_crs


@dataclass(frozen=True)
class City:
    """A published release, its layers projected."""

    name: str
    gpkg: Path

    @cached_property
    def grids(self) -> gpd.GeoDataFrame:
        """Grids in metres, in order of their codes."""
        frame = pyogrio.read_dataframe(self.gpkg, layer="grid").sort_values("grid_code", ignore_index=True)
        return frame.to_crs(metre_crs(tuple(frame.total_bounds)))

    def layer(self, name: str, **options) -> gpd.GeoDataFrame:
        """Another layer in the same metres."""
        return pyogrio.read_dataframe(self.gpkg, layer=name, **options).to_crs(self.grids.crs)

    @cached_property
    def outline(self):
        """The city's border."""
        return shapely.union_all(self.grids.geometry.values)

    @cached_property
    def near(self) -> Neighbours:
        """Queen neighbours of the grids."""
        return contiguity(self.grids)

    @cached_property
    def incidents(self) -> gpd.GeoDataFrame:
        """All incidents that count, in order of time."""
        columns = ["occurred_from", "occurred_to", "category", "subcategory", "grid_code", "location_quality"]
        frame = pyogrio.read_dataframe(self.gpkg, layer="incident", columns=columns)
        frame = frame[frame["category"] != "无效"].sort_values("occurred_from", kind="stable", ignore_index=True)
        return frame.to_crs(self.grids.crs)

    def events(self, start: str, end: str, subcategory: str | None = None) -> gpd.GeoDataFrame:
        """Incidents of a half-open window."""
        at = self.incidents["occurred_from"]
        keep = (at >= start) & (at < end)
        if subcategory:
            keep &= self.incidents["subcategory"] == subcategory
        return self.incidents[keep]

    def points(self, events: gpd.GeoDataFrame) -> np.ndarray:
        """East and north of those with a usable point (no pile-ups, none outside)."""
        good = events[events["location_quality"].isin(["exact", "low_precision"]) & ~events.geometry.isna()]
        return np.column_stack([good.geometry.x, good.geometry.y])

    def counted(self, events: gpd.GeoDataFrame) -> np.ndarray:
        """Events of each grid."""
        place = pd.Index(self.grids["grid_code"]).get_indexer(events["grid_code"].fillna(""))
        return np.bincount(place[place >= 0], minlength=len(self.grids))

    def cube(self, edges: pd.DatetimeIndex, subcategory: str | None = None) -> np.ndarray:
        """Events of each grid in each step between the edges (grids, steps)."""
        events = self.events(str(edges[0]), str(edges[-1]), subcategory)
        place = pd.Index(self.grids["grid_code"]).get_indexer(events["grid_code"].fillna(""))
        step = np.searchsorted(edges, events["occurred_from"], side="right") - 1
        found = np.zeros((len(self.grids), len(edges) - 1), int)
        np.add.at(found, (place[place >= 0], step[place >= 0]), 1)
        return found
