"""What cameras cover: sectors, views between buildings, rates, rules and the order of repair.

Planning estimates: heights, trees, signs and light are not known here.
"""

from geo.coverage.checking import NetworkSplit, RuleCheck, rule_check
from geo.coverage.ledger import Working, working_cameras
from geo.coverage.points import covered_points, nearest_camera_m
from geo.coverage.repair import RepairOrder, repair_order
from geo.coverage.roads import road_junctions
from geo.coverage.rules import RULES, Rule
from geo.coverage.sectors import (
    ALL_ROUND,
    DIRECTIONS,
    CameraAreas,
    Look,
    camera_areas,
    direction_bearing,
    sector,
    sectors,
)
from geo.coverage.summary import Coverage, CoverageSummary, Kpi, coverage_summary
from geo.coverage.visibility import Obstacles, VisibleAreas, visible_area, visible_areas

__all__ = [
    "ALL_ROUND",
    "DIRECTIONS",
    "RULES",
    "CameraAreas",
    "Coverage",
    "CoverageSummary",
    "Kpi",
    "Look",
    "NetworkSplit",
    "Obstacles",
    "RepairOrder",
    "Rule",
    "RuleCheck",
    "VisibleAreas",
    "Working",
    "camera_areas",
    "coverage_summary",
    "covered_points",
    "direction_bearing",
    "nearest_camera_m",
    "repair_order",
    "road_junctions",
    "rule_check",
    "sector",
    "sectors",
    "visible_area",
    "visible_areas",
    "working_cameras",
]
