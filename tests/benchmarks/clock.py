"""A fixed piece of work that says how fast the machine is just now, and figures of repeated runs."""

from __future__ import annotations

import time

import numpy as np

RUNS = 20


def calibration() -> float:
    """Seconds of a fixed piece of single-core work."""
    began = time.perf_counter()
    values = np.random.default_rng(0).random(4_000_000)
    for _ in range(3):
        np.sort(values)
    return time.perf_counter() - began


def twenty(work) -> tuple[float, float]:
    """Median and p95 seconds of 20 runs."""
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return float(np.median(taken)), float(np.quantile(taken, 0.95))
