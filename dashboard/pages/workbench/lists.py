"""What the drawer lists besides the units: incidents, hotspots, places where it happens again."""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.measures import CLASSES, GI
from dashboard.pages.workbench import view_drawer
from data.app_db import Acknowledgement
from data.selection import Selection
from data.store import Release, Scope
from data.store.alerts import alerts
from data.store.hotspots import hotspots
from data.store.rows import incident_rows

ROWS = 500  # of a list; the export holds all


def listed(release: Release, tab: str, selection: Selection, scope: Scope, seen: Mapping[str, Acknowledgement]) -> dict:
    """One list of the drawer.

    Parameters
    ----------
    tab : str
        One of the page's tabs; ``units`` has only columns, its rows are in the browser already.
    seen : mapping
        Alerts that somebody has seen to.

    Returns
    -------
    dict
        ``columns`` for AG Grid, ``rows`` and ``head``, what stands over them.
    """
    if tab == "incidents":
        answer = incident_rows(release, selection, scope, limit=ROWS)
        columns = view_drawer.columns(tab, tuple(answer.meta.get("absent", ())))
        return {"columns": columns, "rows": _plain(answer.rows.to_pylist()), "head": view_drawer.head(answer.meta)}
    if tab == "hotspots":
        meta = hotspots(release, selection, scope, GI).meta
        rows = view_drawer.hotspot_rows(meta["groups"], {one.label: one.words for one in CLASSES[GI]})
        head = view_drawer.head({"matched": len(rows), "returned": len(rows)})
        return {"columns": view_drawer.columns(tab), "rows": rows, "head": head}
    if tab == "places":
        found = hotspots(release, selection, scope, "repeat_places")
        rows = sorted(view_drawer.place_rows(found.features), key=lambda row: -row["count"])
        return {"columns": view_drawer.columns(tab), "rows": rows, "head": view_drawer.head(found.meta)}
    if tab == "alerts":
        area = None if selection.area is None else release.units.allowed(selection.area, scope)
        rows = view_drawer.alert_rows(alerts(release, scope, area), seen)
        head = view_drawer.head({"matched": len(rows), "returned": len(rows)})
        return {"columns": view_drawer.columns(tab), "rows": rows, "head": head}
    return {"columns": view_drawer.columns(tab), "rows": [], "head": ""}


def _plain(rows: list[dict]) -> list[dict]:
    """Times as ISO text."""
    return [{k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in row.items()} for row in rows]
