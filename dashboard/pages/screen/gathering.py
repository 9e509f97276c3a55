"""Ask the Store what a wall shows and hand it to the views.

The wall asks twice: for what is counted at once (``quick``), and for what takes seconds the first time (``slow``:
cameras). A new release is shown when both are there, never in part.
"""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from dashboard.components import html
from dashboard.components.card import empty
from dashboard.extent import extent, outline
from dashboard.language import say
from dashboard.measures import CLASSES
from dashboard.pages.screen import (
    view_alerts,
    view_cameras,
    view_disputes,
    view_drill,
    view_head,
    view_hotspots,
    view_kpis,
    view_reports,
    view_supervised,
    view_themes,
    view_top,
    view_trend,
    view_week,
)
from dashboard.pages.screen.looked_at import LookedAt
from dashboard.peak_hours import peak_words, week_table, weeks_around
from dashboard.supervised import of_area, pressing
from dashboard.trend_steps import latest_steps
from dashboard.unit_values import unit_values
from data.app_db import AppDb, ledger
from data.app_db.acknowledging import acknowledged
from data.index import INCIDENT_LEVELS
from data.store import coverage, coverage_rules, describe, disputes, profile
from data.store.alerts import alerts
from data.store.changes import changes
from data.store.class_limits import class_limits
from data.store.facets import without_unit
from data.store.hotspots import hotspots


def quick(at: LookedAt, now: datetime, cards: list[str], db: AppDb) -> dict:
    """Everything of the wall but cameras, and what its map looks at.

    Returns
    -------
    dict
        ``release``; ``parts`` (id -> part); ``map``: ``bounds`` (west, south, east, north; None without outlines),
        ``outline`` (GeoJSON text of the area), ``what`` (query of the Selection), ``land`` (level
        whose units are drawn; None without outlines), ``names`` (``level`` and ``codes`` of the units that are named).
    """
    release = at.release
    described = describe(release, now, at.scope)
    local = now.astimezone(ZoneInfo(release.info.timezone)).replace(tzinfo=None)
    parts = {
        "window": view_head.window(at, area_name(at)),
        "synthetic": html.Span(say("合成数据"), className="tag") if release.info.synthetic else None,
        "age": view_head.age(described, local),
        "sources": view_head.sources(described, local.date()),
        "foot": view_themes.foot(at, _unplaced(at)),
        **_counted(at, cards),
        **_disputes(at),
        **_standing(at, db, local.date()),
    }
    return {
        "release": release.info.release_id,
        "parts": {name: html.part(one) for name, one in parts.items()},
        "map": {
            "bounds": extent(release, at.scope, at.area),
            "outline": at.area and outline(release, at.area),
            "what": at.selection.to_query(),
            "land": at.drawn(*view_themes.LEVELS["change"]),
            "names": _named(at),
        },
    }


def _standing(at: LookedAt, db: AppDb, today: date) -> dict:
    """What people have to see to: alerts, and items of the ledger."""
    items = of_area(at.release, at.scope, at.area, ledger.items(db))
    found = alerts(at.release, at.scope, at.area)
    return {
        "alerts": view_alerts.strip(found, acknowledged(db), pressing(items, today), today),
        "supervised": view_supervised.supervised(ledger.count(items, today)),
    }


def area_name(at: LookedAt) -> str:
    """What the wall is about."""
    if at.area is not None:
        return str(at.release.units.level(at.area.level).names[at.area.position])
    return say("全市") if at.scope.areas is None else say("授权区域")


def _named(at: LookedAt) -> dict | None:
    """The units under the area whose names stand on the map; None where there are none."""
    level = at.drawn(*view_themes.NAMED)
    if level is None:
        return None
    units = at.release.units
    return {"level": level, "codes": units.level(level).codes[units.shown(level, at.area, at.scope)].tolist()}


def _counted(at: LookedAt, cards: list[str]) -> dict:
    if not at.release.reports.source_ids:
        nothing = empty(say("本发布没有事件来源。"))
        said = dict.fromkeys(("trend_caption", "week_caption", "reports"))
        return (
            dict.fromkeys(("kpis", "trend", "week", "top"), nothing) | said | {"trend_title": view_trend.title(at.step)}
        )
    release, selection, scope = at.release, at.selection, at.scope
    found = profile(release, selection, scope)
    table = week_table(found)
    steps = latest_steps(release, selection, scope, at.step)
    return {
        "kpis": view_kpis.kpis(at, changes(release, selection, scope), cards),
        "trend_title": view_trend.title(at.step),
        "trend": view_trend.trend(steps, at.step),
        "trend_caption": view_trend.caption(steps, at.step),
        "week": view_week.week(table, found.meta["state"] == "missing"),
        "week_caption": peak_words(table) if table.sum() else "",
        "top": view_top.top(at),
        "reports": view_reports.reports(at),
    }


def _disputes(at: LookedAt) -> dict:
    meta = disputes(at.release, at.selection, at.scope, at.level("street", "district") or "grid").meta
    return {"disputes": view_disputes.disputes(meta), "disputes_caption": view_disputes.caption(meta)}


def _unplaced(at: LookedAt) -> int:
    level = at.level("grid", "community", "street", "district")
    return without_unit(at.release, at.selection, at.scope, level) if level and at.release.reports.source_ids else 0


def slow(at: LookedAt) -> dict:
    """Parts of the cameras."""
    told = coverage(at.release, at.selection, at.scope).meta
    rules = coverage_rules(at.release, at.selection, at.scope).meta["rules"]
    parts = {
        "cameras_caption": view_cameras.caption(told),
        "cameras": view_cameras.rates(told),
        "rules": view_cameras.rules(rules),
    }
    return {"release": at.release.info.release_id, "parts": {name: html.part(one) for name, one in parts.items()}}


def hotspot_theme(at: LookedAt) -> dict:
    """Marks, legend, caption and list of the hotspots; their density is asked of the public API."""
    if at.level("grid") is None or not at.release.reports.source_ids:
        return {"marks": [], "legend": None, "caption": say("没有网格，不作热点检验。"), "list": None}
    rows = view_hotspots.found(at, "grid")
    kde = hotspots(at.release, at.selection, at.scope, "kde").meta
    weeks = [weeks_around(at.release, at.selection, at.scope, one.group.code) for one in rows[: view_hotspots.LISTED]]
    return {
        "marks": view_hotspots.marks(rows),
        "legend": view_hotspots.legend(at, kde),
        "caption": view_hotspots.caption(at, rows, kde),
        "list": view_hotspots.listed(at, rows, weeks),
    }


def unit_theme(at: LookedAt, theme: str) -> dict:
    """Numbers of the units a theme colours, with its legend and caption."""
    wanted = view_themes.LEVELS[theme]
    level = at.level(*wanted) if theme == "disputes" else at.drawn(*wanted)  # rings need places, not outlines
    if level is None:
        return {"caption": say("没有可着色的单元。"), "legend": None}
    if theme != "disputes" and not at.release.reports.source_ids:
        return {"caption": say("本发布没有事件来源。"), "legend": None}
    values = unit_values(at.release, at.selection, at.scope, level, view_themes.MEASURES[theme])
    limits = class_limits(at.release, at.selection, at.scope, level)
    told = disputes(at.release, at.selection, at.scope, level).meta if theme == "disputes" else None
    return {
        **values.packed,
        "measure": view_themes.MEASURES[theme],
        "counted": bool(at.release.reports.source_ids),
        "limits": {"count": limits.count, "rate": limits.rate, "density": limits.density, "found": values.found_limits},
        "classes": CLASSES.get(view_themes.MEASURES[theme], ()),
        "legend": view_themes.theme_legend(at, theme, level, limits, values),
        "caption": view_themes.theme_caption(at, theme, level, values, told),
    }


def drill(at: LookedAt) -> dict:
    """The panel of an area that was touched."""
    release, selection, scope = at.release, at.selection, at.scope
    place = at.area
    panel = view_drill.drill(
        at,
        area_name(at),
        _above(at),
        changes(release, selection, scope),
        latest_steps(release, selection, scope, at.step),
        week_table(profile(release, selection, scope)),
        disputes(release, selection, scope, place.level if place.level in INCIDENT_LEVELS else "district").meta,
        coverage(release, selection, scope).meta["rates"],
    )
    return {"release": release.info.release_id, "panel": panel, "outline": outline(release, place)}


def _above(at: LookedAt) -> str:
    """Names of the street and district that hold the area."""
    units, names = at.release.units, []
    for wider in ("district", "street"):
        above = units.level(at.area.level).above.get(wider)
        if above is not None and above[at.area.position] >= 0:
            names.append(str(units.level(wider).names[above[at.area.position]]))
    return " ".join(names)


def cover_theme(at: LookedAt) -> dict:
    """Legend and caption of the coverage; its tiles and failing places are asked of the server's own addresses."""
    told = coverage(at.release, at.selection, at.scope).meta
    share = next((rate for rate in told["rates"] if rate["denominator"]), None)
    words = (
        view_cameras.caption(told)
        and share
        and f"{say(share['name'])} {share['numerator']:,} ÷ {share['denominator']:,}"
    )
    return {"legend": view_themes.cover_legend(), "caption": words or say("没有摄像机。")}
