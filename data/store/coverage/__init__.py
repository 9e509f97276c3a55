"""Cameras and what they cover: rates, areas, rules, blind hotspots."""

from data.store.coverage.blind import blind_hotspots
from data.store.coverage.ledger import BEST, METHODS, camera_shapes, cameras, in_area, methods
from data.store.coverage.rules import coverage_rules, rule_failures
from data.store.coverage.table import coverage

__all__ = [
    "BEST",
    "METHODS",
    "blind_hotspots",
    "camera_shapes",
    "cameras",
    "coverage",
    "coverage_rules",
    "in_area",
    "methods",
    "rule_failures",
]
