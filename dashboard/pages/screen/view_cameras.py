"""Cameras: four rates against their written targets, and the nine rules."""

from __future__ import annotations

from dashboard.components import html
from dashboard.components.card import empty
from dashboard.components.rates import axis_start, rate_row
from dashboard.components.words import share_text
from dashboard.language import say
from geo.coverage.summary import NOT_JUDGED

_SHORT = {
    "tw1": "交叉路口", "tw2": "关键节点", "tw3": "人员密集", "tw4": "要害部位", "tw5": "高发区域", "tw6": "复杂场所",
    "dw1": "村组路口", "dw2": "小街小巷", "dw3": "沿街店面",
}  # fmt: skip


def caption(meta: dict) -> str:
    """Where the common axis begins."""
    if not any(rate["denominator"] for rate in meta["rates"]):
        return ""
    return say("竖线为目标 · 轴{start}—100%", start=f"{axis_start(meta['rates']):.0f}")


def rates(meta: dict) -> html.Element:
    """The four rates."""
    if not any(rate["denominator"] for rate in meta["rates"]):
        notes = [say(note["text"], n=f"{note['n']:,}") for note in meta["notes"]]
        return empty(say("；").join(notes) or say("没有摄像机。"))
    start = axis_start(meta["rates"])
    return html.Div([rate_row(rate, start) for rate in meta["rates"]], className="camera-rates")


def rules(found: list[dict]) -> html.Element | None:
    """Every rule with what of its targets a working camera sees."""
    return html.Ul([_rule(rule) for rule in found], className="rules") if found else None


def _rule(rule: dict) -> html.Element:
    full = say(rule["words"])
    names = [html.Span(say(_SHORT[rule["rule"]]), className="short"), html.Span(full, className="full")]
    name = html.Span(names, className="name", title=full)
    if rule["state"] == NOT_JUDGED:
        return html.Li([_mark("–", "none"), name, html.Span(say("未评估"), className="number none")])
    kept = rule["passing"] == rule["total"]
    share = html.Span(share_text(rule["passing"], rule["total"]), className="number",
                      title=f"{rule['passing']:,} / {rule['total']:,}")  # fmt: skip
    return html.Li([_mark("✓", "good") if kept else _mark("◆", "warn"), name, share])


def _mark(shape: str, tone: str) -> html.Element:
    return html.Span(shape, className=f"mark {tone}", **{"aria-hidden": "true"})
