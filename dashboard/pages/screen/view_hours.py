"""A day by the hour as 24 bars."""

from __future__ import annotations

import numpy as np

from dashboard.components import html
from dashboard.language import say


def hour_bars(week: np.ndarray) -> html.Element:
    """Bars of the hours, the highest full; ``week`` is weekday by hour, shape (7, 24)."""
    by_hour = week.sum(axis=0)
    most = max(int(by_hour.max()), 1)
    bars = [html.Span(className="hour-bar", style={"height": f"{100 * n / most:.0f}%"}, title=say("{a}时　{n}起", a=i, n=n))
            for i, n in enumerate(by_hour.tolist())]  # fmt: skip
    return html.Div(bars, className="hour-bars")
