"""Reports that are due in a window, unit by unit: in, nil, late or not in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from data.selection import Selection
from data.store.release import Release
from data.store.scope import Scope
from data.store.units import Place

MISSING, NIL, REPORTED = "missing", "zero", "reported"
_COLUMNS = ("dataset", "area_code", "period_start", "period_end", "state", "due_at", "reported_at")


@dataclass(frozen=True)
class Return:
    """One unit-period.

    ``state`` is ``missing`` (未报), ``zero`` (零报) or ``reported`` (已报); ``late`` where it came after it was due (迟报).
    """

    dataset: str
    code: str
    name: str
    start: date
    end: date
    state: str
    late: bool


def returns(release: Release, selection: Selection, scope: Scope) -> list[Return]:
    """Every unit-period of every dataset whose end lies in the window, of the units in the selected area and scope, and of the
    unit above the area where that reports for it.

    Raises
    ------
    OutsideScope, UnknownArea
    """
    area = None if selection.area is None else release.units.allowed(selection.area, scope)
    key = ("returns", selection.start, selection.end, area, scope)  # every section of a page asks
    return release.remember(key, lambda: _find(release, selection, scope, area))


def _find(release: Release, selection: Selection, scope: Scope, area: Place | None) -> list[Return]:
    sheet = sa.table("report_status", *map(sa.column, _COLUMNS)).c
    start, end = (datetime.combine(day, datetime.min.time()) for day in (selection.start, selection.end))
    rows = release.rows(sa.select(*sheet).where(sheet.period_end > start, sheet.period_end <= end)
                        .order_by(sheet.dataset, sheet.period_start, sheet.area_code)).to_pylist()  # fmt: skip
    found = []
    for row in rows:
        place = release.units.find(row["area_code"])
        if place is None:
            continue
        told = release.units.in_scope(place.level, scope) if area is None else release.units.around(place.level, area)
        if not told[place.position]:
            continue
        late = (
            row["state"] != MISSING
            and None not in (row["due_at"], row["reported_at"])
            and row["reported_at"] > row["due_at"]
        )
        name = str(release.units.level(place.level).names[place.position])
        found.append(
            Return(row["dataset"], row["area_code"], name, row["period_start"], row["period_end"], row["state"], late)
        )
    return found


def any_sheet(release: Release) -> bool:
    """Whether the release has a report calendar at all."""
    return release.remember(
        "any sheet", lambda: release.rows(sa.text("SELECT count(*) AS n FROM report_status"))["n"][0].as_py() > 0
    )
