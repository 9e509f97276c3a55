"""Work beside the main thread: GEOS, Arrow and SQLite let the interpreter go on meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


def aside(work: Callable, *arguments) -> Future:
    """Start one piece of work in a thread of its own."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(work, *arguments)
    finally:
        pool.shutdown(wait=False)
