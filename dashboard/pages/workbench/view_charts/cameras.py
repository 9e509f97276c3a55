"""Cameras: four rates kept apart, each against its target, and the coverage rules."""

from __future__ import annotations

from dashboard.components import html
from dashboard.components.card import card, empty, sub_head
from dashboard.components.rates import axis_start, rate_row
from dashboard.components.words import share_text
from dashboard.language import say
from geo.coverage.summary import NOT_JUDGED


def cameras(meta: dict, rules: list[dict]) -> html.Element:
    """Rates and rules of the selected area.

    Parameters
    ----------
    meta : dict
        Of :func:`data.store.coverage.coverage`: ``rates``, ``status_at``, ``notes``.
    rules : list of dict
        ``meta["rules"]`` of :func:`data.store.coverage.coverage_rules`.
    """
    title = say("视频覆盖")
    rates = meta["rates"]
    if not any(rate["denominator"] for rate in rates):
        notes = [say(note["text"], n=f"{note['n']:,}") for note in meta["notes"]]
        return card(title, "", empty(say("；").join(notes) or say("没有摄像机。")), className="cameras")
    start = axis_start(rates)
    caption = [
        html.Span(className="key target", **{"aria-hidden": "true"}),
        say("目标 · 轴{start}—100%", start=f"{start:.0f}"),
    ]
    body: list = [html.Div([rate_row(rate, start) for rate in rates], className="rates")]
    if rules:
        body += [
            sub_head(say("覆盖规则"), say("通过 / 应有")),
            html.Ul([_rule(rule) for rule in rules], className="rules"),
        ]
    notes = [say(note["text"], n=f"{note['n']:,}") for note in meta["notes"]]
    if meta["status_at"]:
        notes.insert(0, say("设备状态截至{day}", day=meta["status_at"][:10]))
    return card(title, caption, [*body, html.P(" · ".join(notes), className="note")], className="cameras")


def _rule(rule: dict) -> html.Element:
    name = html.Span(say(rule["words"]), className="name", title=say(rule["words"]))
    if rule["state"] == NOT_JUDGED:
        shape = html.Span("– –", className="mark none", **{"aria-hidden": "true"})
        return html.Li([shape, name, html.Span(say("未评估"), className="judged none", title=say(rule["note"]))])
    whole = rule["passing"] == rule["total"]
    shape = html.Span("✓" if whole else "◆", className=f"mark {'good' if whole else 'warn'}", **{"aria-hidden": "true"})
    percent = html.Span(share_text(rule["passing"], rule["total"]), className="number")
    counts = html.Span(f"{rule['passing']:,} / {rule['total']:,}", className="change")
    return html.Li([shape, name, counts, percent])
