"""A rate beside its target: dot, target tick, gap between; and what it is made of."""

from __future__ import annotations

from dashboard.components import html
from dashboard.components.words import NOTHING, share_text
from dashboard.language import say

_ROUND = 10  # an axis starts at a multiple of this


def axis_start(rates: list[dict]) -> float:
    """Where the common axis of some rates begins, in percent: as far right as all of them and their targets allow."""
    values = [v for rate in rates for v in (rate["pct"], rate.get("target_pct")) if v is not None]
    lowest = min(values, default=100.0)
    return float(max(0, min(90, lowest // _ROUND * _ROUND)))


def rate_row(rate: dict, start: float) -> html.Element:
    """Name, dot on an axis from ``start`` to 100 %, percent, and 达标 or the gap to the target in points.

    Parameters
    ----------
    rate : dict
        ``name, numerator, denominator, pct, target_pct, formula``; ``pct`` None at base 0, ``target_pct`` None where
        none is written.
    """
    pct, target = rate["pct"], rate.get("target_pct")
    return html.Div(
        [
            html.Span(say(rate["name"]), className="name"),
            html.Span(_marks(pct, target, start), className="rate-axis", **{"aria-hidden": "true"}),
            html.Span(
                NOTHING if pct is None else share_text(rate["numerator"], rate["denominator"]), className="number"
            ),
            _judged(pct, target),
            html.Span(made_of(rate), className="caption made-of", title=say(rate["formula"])),
        ],
        className="rate-row",
    )


def made_of(rate: dict) -> str:
    """Numerator over denominator, and the formula in words."""
    return f"{rate['numerator']:,} ÷ {rate['denominator']:,}　{say(rate['formula'])}"


def _marks(pct: float | None, target: float | None, start: float) -> list:
    parts = []
    if pct is not None and target is not None:
        low, high = sorted((_at(pct, start), _at(target, start)))
        tone = "good" if pct >= target else "warn"
        parts.append(html.Span(className=f"gap {tone}", style={"left": f"{low:.2f}%", "width": f"{high - low:.2f}%"}))
    if target is not None:
        parts.append(html.Span(className="target", style={"left": f"{_at(target, start):.2f}%"}))
    if pct is not None:
        tone = "calm" if target is None else "good" if pct >= target else "warn"
        parts.append(html.Span(className=f"point {tone}", style={"left": f"{_at(pct, start):.2f}%"}))
    return parts


def _at(pct: float, start: float) -> float:
    return (pct - start) / (100 - start) * 100


def _judged(pct: float | None, target: float | None) -> html.Element:
    if pct is None:
        return html.Span(say("未评估"), className="judged none")
    if target is None:
        return html.Span(say("无目标"), className="judged none")
    if pct >= target:
        return html.Span(["✓ ", say("达标")], className="judged good")
    # From the printed figures, so that the reader's own subtraction agrees.
    gap = round(target, 1) - float(share_text(pct, 100).rstrip("%"))
    return html.Span(["◆ ", say("差{n}", n=f"{max(gap, 0.1):.1f}")], className="judged warn")
