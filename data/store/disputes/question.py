"""Disputes of a window: of every area of a level, and of the selection as a funnel, rates, parts and ages."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data.selection import Selection
from data.store.answer import Answer
from data.store.disputes.choosing import Chosen, Windows, about_windows, due_periods, windows
from data.store.disputes.figures import PART_COUNTS
from data.store.disputes.picture import part_figures, unit_standing, whole, whole_standing
from data.store.disputes.sources import dispute_sources
from data.store.filters import below_or_equal, day_window
from data.store.release import Release
from data.store.scope import Scope
from data.store.trend import selected_places
from data.store.units import Place

FUNNEL = ("found", "accepted", "handled", "succeeded")
BANDS = {"le30": "open_le30", "31_90": "open_31_90", "gt90": "open_gt90"}
_PARTS = {"category": "categories", "channel": "channels", "closed_level": "levels"}


def disputes(release: Release, selection: Selection, scope: Scope, level: str = "district") -> Answer:
    """One row for every area of ``level`` in the selected area, never cut.

    Parameters
    ----------
    level : str
        ``district``, ``street``, ``community`` or ``grid``. Where the selected area is smaller than the level, the one
        area that holds it is returned, with the disputes of the selected area only.

    Returns
    -------
    Answer
        Rows ``code, name``, the counts (``found, accepted, handled, succeeded, partial, failed, open, on_time, overdue,
        open_le30, open_31_90, open_gt90``), ``state, periods_missing, handled_pct, accepted_success_pct,
        handled_success_pct``. Flows are summed over the periods; ``open`` and its ages are those of the latest one. A
        count is null where nothing is in or the source does not tell it; ``state`` is null at levels below the source's.

        ``meta`` has ``source``, ``sources`` (each with what it has in the window), ``period`` and ``before`` (``from, to,
        periods, days``; before null without comparison), ``coarser`` (the source, where the window is shorter than its
        period and the latest one up to the window's end stands for it), ``ignored`` (filters disputes do not know), and
        of the selection: ``state, periods_missing, total, total_before`` (null where nothing is in), ``funnel``,
        ``rates``, ``categories``, ``channels``, ``levels``, ``ageing``.

    Raises
    ------
    OutsideScope, UnknownArea

    Notes
    -----
    One source answers, never two added (see :func:`~data.store.disputes.choosing.choose`).
    """
    units = release.units.level(level)
    area = None if selection.area is None else release.units.allowed(selection.area, scope)
    wider_area = area is None or below_or_equal(level, area)
    shown = release.units.shown(level, area, scope)
    places = selected_places(release, selection, scope)
    both = windows(dispute_sources(release), selection, level if wider_area else area.level)
    now, before = (whole_standing(release, chosen, places) for chosen in (both.now, both.before))
    meta = {
        **release.base_meta(),
        "selection": selection.to_meta(),
        "scope": scope.to_meta(),
        "level": level,
        "ignored": _ignored(selection),
        **about_windows(both, selection),
        "sources": _sources(release, selection, both.now),
        "state": now.state[0],
        "periods_missing": now.one("missing"),
        "total": now.totals(),
        "total_before": before.totals(),
        "funnel": {name: now.one(name) for name in FUNNEL},
        "rates": now.rates(),
        "ageing": [{"band": band, "count": now.one(name)} for band, name in BANDS.items()],
        **{name: _parts(release, both, places, by) for by, name in _PARTS.items()},
    }
    if wider_area:
        columns = unit_standing(release, both.now, level).columns()
    else:
        columns = {name: pa.repeat(column[0], len(units)) for name, column in now.columns().items()}
    rows = pa.table({"code": pa.array(units.codes, pa.string()), "name": pa.array(units.names, pa.string()), **columns})
    return Answer.of(meta, rows.filter(pa.array(shown)))


def _ignored(selection: Selection) -> list[str]:
    """The filters in use that dispute statistics know nothing of."""
    used = {"category": selection.categories, "hours": selection.hours, "weekdays": selection.weekdays,
            "polygon": selection.polygon}  # fmt: skip
    return [name for name, value in used.items() if value]


def _sources(release: Release, selection: Selection, chosen: Chosen | None) -> list[dict]:
    """Every source with what it has wholly inside the window."""
    window = day_window((selection.start, selection.end))
    rows = []
    for source in dispute_sources(release):
        own = Chosen(source, due_periods(source, window))
        rows.append({"id": source.source_id, "cadence": source.cadence, "level": source.level,
                     "periods": len(own.told), "days": own.days,
                     "used": chosen is not None and source == chosen.source})  # fmt: skip
    return rows


def _parts(release: Release, both: Windows, places: tuple[Place, ...] | None, by: str) -> list[dict]:
    """Counts of each part of the current window, most found first, and how many were found in the compared one; parts
    told elsewhere only are not named."""
    now, before = (
        {} if chosen is None else part_figures(release, chosen, places, by) for chosen in (both.now, both.before)
    )
    rows = [
        {by: part, **{name: whole(now.get(part, {}).get(name)) for name in PART_COUNTS},
         "before": whole(before.get(part, {}).get("found"))}
        for part in {**now, **before}
        if not np.isnan([*now.get(part, {}).values(), *before.get(part, {}).values()]).all()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (-(row["found"] or 0), -(row["succeeded"] or 0), row[by]))
