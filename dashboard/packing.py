"""Numbers of every unit of a level in as few bytes as they need, for the browser's typed arrays."""

from __future__ import annotations

import base64

import numpy as np
import pyarrow as pa

from dashboard.components.verdict import ORDER

MISSING_CODE = -1  # in packed counts
NO_PERCENT = -(2**31)


def pack(values: np.ndarray) -> dict:
    """Whole numbers as base64 of the smallest type that holds them."""
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    kind = next(k for k in ("i1", "i2", "i4") if np.iinfo(k).min <= low and high <= np.iinfo(k).max)
    return {"type": kind, "data": base64.b64encode(values.astype("<" + kind).tobytes()).decode()}


def packed_reals(values: np.ndarray, scale: float, fill: int) -> dict:
    """Real numbers times ``scale``, rounded; NaN and what no 32-bit number holds become ``fill``."""
    scaled = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0) * scale
    whole = np.copysign(np.floor(np.abs(scaled) + 0.5), scaled)  # half up, as the pages write numbers
    usable = np.isfinite(values) & (np.abs(whole) < 2**31)
    return pack(np.where(usable, whole, fill).astype(np.int64))


def packed_words(values: np.ndarray, words: tuple[str, ...]) -> dict:
    """Position of each word in ``words``; -1 for any other."""
    index = {word: i for i, word in enumerate(words)}
    return pack(np.array([index.get(word, -1) for word in values], dtype=np.int64))


def packed_rows(size: int, positions: np.ndarray, rows: pa.Table) -> dict:
    """The rows of ``counts`` by position of their unit.

    Parameters
    ----------
    size : int
        Units of the level.
    positions : ndarray of int
        Where each row's unit stands among them.

    Returns
    -------
    dict
        ``shown`` (1 where there is a row), ``count`` and ``before`` (-1 missing), ``difference``, ``percent`` (tenths),
        ``p`` (ten-thousandths), ``verdict`` (index into ORDER; -1 none), ``rate`` (thousandths of events per 1,000
        people), ``gaps`` (unit-periods not in). Where nothing is compared ``before`` and what follows from it are
        absent; ``rate`` where no population is known.
    """

    def column(name: str, fill: int, scale: float = 1.0) -> dict:
        values = np.full(size, np.nan)
        values[positions] = rows[name].cast(pa.float64()).to_numpy()
        return packed_reals(values, scale, fill)

    shown = np.zeros(size, dtype=np.int64)
    shown[positions] = 1
    packed = {"shown": pack(shown), "count": column("count", MISSING_CODE), "gaps": column("periods_missing", 0)}
    compared = not pa.types.is_null(rows["verdict"].type) and rows["verdict"].null_count < rows.num_rows
    if compared:
        words = np.full(size, None, dtype=object)
        words[positions] = rows["verdict"].to_pylist()
        packed |= {
            "before": column("before", MISSING_CODE),
            "difference": column("difference", 0),
            "percent": column("percent", NO_PERCENT, 10),
            "p": column("p", -1, 10_000),
            "verdict": packed_words(words, ORDER),
        }
    if np.isfinite(rows["rate_per_1000"].cast(pa.float64()).to_numpy()).any():
        packed["rate"] = column("rate_per_1000", MISSING_CODE, 1000)
    return packed
