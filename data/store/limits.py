"""Thresholds of the Store, set in the dashboard's settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Settings of the Store.

    Attributes
    ----------
    missing_pct : float
        Share of unit-periods missing above which percent, rate and verdict are withheld.
    strong_p, mild_p : float
        Verdict thresholds: below ``strong_p`` 明显, below ``mild_p`` 需关注 or 有所下降.
    points : int
        Most points or features of a map layer in one answer.
    small_extent_deg : float
        Widest and tallest extent in which single incidents are listed although more match than ``points``.
    """

    missing_pct: float = 5.0
    strong_p: float = 0.01
    mild_p: float = 0.05
    points: int = 5000
    small_extent_deg: float = 0.05
