"""Moments as the clock on the wall shows them."""

from __future__ import annotations

import pandas as pd
from numpy.typing import ArrayLike


def wall_clock(moments: ArrayLike) -> pd.DatetimeIndex:
    """Moments in any usual form (datetime64, text, dates, Series) with their zone dropped, not converted; NaT stays."""
    index = pd.DatetimeIndex(moments)
    return index.tz_localize(None) if index.tz is not None else index
