"""Which packs are due: the latest complete period of every meeting, and each day of 敏感时期."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from dashboard.reports.asked import period_text
from dashboard.settings_file import ReportTable
from data.calendar import sensitive_periods
from geo.change import window_of

_KINDS = {"week": "iso_week", "half": "half_month", "month": "month", "quarter": "quarter", "year": "year"}


def due_periods(table: ReportTable, workspace: Path, today: date) -> list[str]:
    """Periods, as ``--period`` writes them, whose pack should be there today.

    Parameters
    ----------
    today : date
        Of the centre. A period is due from the day after its end, whether or not its data is in: what is missing is said on
        the cover.
    """
    found = [period_text(window_of(_KINDS[kind], today)) for kind in table.meetings]
    yesterday = today - timedelta(days=1)
    if table.daily_when_sensitive and any(first <= yesterday <= last for first, last in sensitive_periods(workspace)):
        found.append(period_text((yesterday, today)))
    return list(dict.fromkeys(found))
