"""Base maps under our own layers: none unless ``yanpan.toml`` declares one (docs/basemaps.md).

Local files of pictures (MBTiles, PMTiles) are served by us; online ones are fetched by the browser. ``basemap.js``
draws both, GCJ-02 ones where they belong.
"""

from dashboard.basemaps.declared import NONE, RULE, BaseMap
from dashboard.basemaps.description import describe, describe_one
from dashboard.basemaps.served import router
from dashboard.basemaps.tile_file import BaseMapFault

__all__ = ["NONE", "RULE", "BaseMap", "BaseMapFault", "describe", "describe_one", "router"]
