"""The key figures of a Selection, one row each: what it is now, what it was, how sure the change is."""

from __future__ import annotations

import pyarrow as pa

from data.selection import Selection
from data.store.answer import Answer
from data.store.changes import Change, changes
from data.store.coverage.rates import rates as camera_rates
from data.store.disputes import Compared, compared_disputes, dispute_sources, reports_due
from data.store.disputes.choosing import about_windows
from data.store.disputes.picture import RATES, counts_told
from data.store.filters import common_meta, day_window
from data.store.release import Release
from data.store.scope import Scope
from data.store.trend import area_tally

INCIDENTS = "incidents"
_EVENTS, _CASES, _PERCENT = "起", "件", "%"
_DISPUTES = {"found": ("disputes_found", "排查纠纷"), "handled": ("disputes_handled", "调处纠纷"),
             "succeeded": ("disputes_succeeded", "调处成功纠纷")}  # fmt: skip
_CAMERAS = {
    "覆盖率": "camera_coverage",
    "联网率": "camera_networked",
    "完好率": "camera_intact",
    "在线率": "camera_online",
}
_REPORTING = "已报和零报的单位期数 ÷ 应报的单位期数"
_SCHEMA = pa.schema(
    [
        ("kpi", pa.string()),
        ("name", pa.string()),
        ("now", pa.float64()),
        ("before", pa.float64()),
        ("difference", pa.float64()),
        ("percent", pa.float64()),
        ("z", pa.float64()),
        ("p", pa.float64()),
        ("verdict", pa.string()),
        ("numerator", pa.float64()),
        ("denominator", pa.float64()),
        ("unit", pa.string()),
        ("formula", pa.string()),
        ("state", pa.string()),
    ]
)


def summary(release: Release, selection: Selection, scope: Scope) -> Answer:
    """One row for each key figure of the selected area, or of the scope.

    Returns
    -------
    Answer
        Rows ``kpi, name, now, before, difference, percent, z, p, verdict, numerator, denominator, unit, formula, state``:
        ``incidents`` and ``incidents:<category>`` of every counted category; ``disputes_found, disputes_handled,
        disputes_succeeded``; the three dispute rates ``dispute_handled_pct, dispute_accepted_success_pct,
        dispute_handled_success_pct``; ``camera_coverage, camera_networked, camera_intact, camera_online``;
        ``reporting``. ``unit`` is 起, 件 or %. Of a rate ``now`` is the percent, ``numerator`` and ``denominator`` are those of
        now, ``difference`` is in percentage points and ``percent`` null.

        ``state`` is ``reported``, ``zero``, ``missing`` (未报: nothing in) or ``absent`` (来源未提供); ``now`` is null in the
        last two. The camera ledger holds one state, so its rates have no before. ``meta.disputes`` has the source and
        the periods of the dispute rows.

    Raises
    ------
    OutsideScope, UnknownArea

    Notes
    -----
    Rates carry no p: what is handled or solved in a period was partly found in earlier ones, so that the parts are no
    sample of their whole; cameras and unit-periods are counted completely.
    """
    found = compared_disputes(release, selection, scope)
    rows = [
        *_incidents(release, selection, scope),
        *_dispute_counts(found),
        *_dispute_rates(release, found),
        *_cameras(release, selection, scope),
        _reporting(release, selection, scope),
    ]
    meta = {**common_meta(release, selection, scope), "disputes": about_windows(found.windows, selection)}
    return Answer.of(meta, pa.Table.from_pylist([{**dict.fromkeys(_SCHEMA.names), **row} for row in rows], _SCHEMA))


def _incidents(release: Release, selection: Selection, scope: Scope) -> list[dict]:
    absent = not release.reports.source_ids
    found = changes(release, selection, scope)
    rows = [_counted(INCIDENTS, "事件", _EVENTS, None if absent else found.total)]
    return rows + [
        _counted(f"{INCIDENTS}:{name}", name, _EVENTS, None if absent else change)
        for name, change in found.categories.items()
    ]


def _dispute_counts(found: Compared) -> list[dict]:
    known = found.now.state[0] is not None
    return [
        _counted(kpi, title, _CASES, found.changes.get(name) if known else None)
        for name, (kpi, title) in _DISPUTES.items()
    ]


def _counted(kpi: str, name: str, unit: str, change: Change | None) -> dict:
    """A row of a count; no change is 来源未提供."""
    row = {"kpi": kpi, "name": name, "unit": unit}
    if change is None:
        return {**row, "state": "absent"}
    state = "missing" if change.now is None else "reported" if change.now else "zero"
    kept = ("now", "before", "difference", "percent", "z", "p", "verdict")
    return {**row, "state": state, **{field: getattr(change, field) for field in kept}}


def _dispute_rates(release: Release, found: Compared) -> list[dict]:
    told = counts_told(release, found.windows.now)
    return [
        _rate(f"dispute_{rate['key']}", rate, before["pct"], found.now.state[0] if set(kind.counts) <= told else None)
        for kind, rate, before in zip(RATES, found.now.rates(), found.before.rates(), strict=True)
    ]


def _cameras(release: Release, selection: Selection, scope: Scope) -> list[dict]:
    area = None if selection.area is None else release.units.allowed(selection.area, scope)
    return [
        _rate(_CAMERAS[rate["name"]], rate, None, "reported" if rate["denominator"] else None)
        for rate in camera_rates(release, area, scope)
    ]


def _reporting(release: Release, selection: Selection, scope: Scope) -> dict:
    """Unit-periods in, of all incident sources and of the dispute periods wholly inside the window."""
    now, before = (selection.start, selection.end), selection.compare_window
    rates = []
    for window in [now] + ([before] if before else []):
        tally = area_tally(release, selection, scope, [day_window(window)])
        of_disputes = reports_due(release, selection, scope, day_window(window))
        due = int(tally.total[0, 0]) + of_disputes[0]
        missing = int(tally.missing[0, 0]) + of_disputes[1]
        rates.append((due - missing, due, 100.0 * (due - missing) / due if due else None))
    rate = {
        "name": "上报率",
        "formula": _REPORTING,
        "numerator": rates[0][0],
        "denominator": rates[0][1],
        "pct": rates[0][2],
    }
    known = release.reports.source_ids or dispute_sources(release)
    return _rate("reporting", rate, rates[1][2] if before else None, "reported" if known else None)


def _rate(kpi: str, rate: dict, before: float | None, state: str | None) -> dict:
    """A row of a rate; its parts are null where it is not told."""
    row = {"kpi": kpi, "name": rate["name"], "unit": _PERCENT, "formula": rate["formula"]}
    if state not in ("reported", "zero"):
        return {**row, "state": state or "absent", "before": before}
    now = rate["pct"]
    difference = None if now is None or before is None else now - before
    parts = {name: rate[name] for name in ("numerator", "denominator")}
    return {**row, "now": now, "before": before, "difference": difference, "state": state, **parts}
