"""Where events gather and whether that is more than chance, over the cells of the caller's scope."""

from data.store.hotspots.asked import METHODS, UNIT_METHODS, WINDOWS
from data.store.hotspots.features import hotspots
from data.store.hotspots.groups import Group
from data.store.hotspots.surface import Density, Peak, density_surface
from data.store.hotspots.units import UnitClasses, unit_classes

__all__ = [
    "METHODS",
    "UNIT_METHODS",
    "WINDOWS",
    "Density",
    "Group",
    "Peak",
    "UnitClasses",
    "density_surface",
    "hotspots",
    "unit_classes",
]
