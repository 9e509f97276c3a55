"""Events in space and time: near repeats, clusters, trends of areas, and the hour of events with an uncertain time."""

from geo.spacetime.aoristic import Aoristic, aoristic
from geo.spacetime.emerging import Emerging, emerging_hotspots
from geo.spacetime.knox import Knox, NearRepeat, knox, near_repeat
from geo.spacetime.links import NearRepeatLinks, near_repeat_links
from geo.spacetime.scan import Scan, scan_1d_p, scan_permutation
from geo.spacetime.trend import MannKendall, mann_kendall

__all__ = [
    "Aoristic",
    "Emerging",
    "Knox",
    "MannKendall",
    "NearRepeat",
    "NearRepeatLinks",
    "Scan",
    "aoristic",
    "emerging_hotspots",
    "knox",
    "mann_kendall",
    "near_repeat",
    "near_repeat_links",
    "scan_1d_p",
    "scan_permutation",
]
