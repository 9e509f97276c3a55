"""What a pack was made from, kept beside its files so that it can be made again: release, area, period, the ledger as it stood."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from dashboard.reports.model import SECTIONS
from data.app_db import Item
from data.app_db.ledger import DAYS, NAMES
from data.errors import UsageError
from data.store import Limits

VERSION = 1
_KEPT = ("id", *NAMES)


@dataclass(frozen=True)
class Question:
    """Everything a pack depends on but the release's files.

    Attributes
    ----------
    release, period, area : str
        ``period`` as ``--period``; ``area`` "" is the whole.
    today : date
    items : list of dict
        The whole ledger.
    made : list of int
        Ids of the items this meeting has decided.
    decided_before : list of int
        Ids of those the meeting of the period before has decided.
    order : list of str
        Sections shown.
    comments : dict
    units : list of str
    signed : str
    decimals : int
    circulated_under : int or None
    limits : dict
        Thresholds of the verdicts, see :class:`data.store.Limits`.
    """

    release: str
    period: str
    area: str
    today: date
    items: list[dict[str, Any]] = field(default_factory=list)
    made: list[int] = field(default_factory=list)
    decided_before: list[int] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    comments: dict[str, str] = field(default_factory=dict)
    units: list[str] = field(default_factory=list)
    signed: str = ""
    decimals: int = 1
    circulated_under: int | None = None
    limits: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> str:
        """As text to be kept."""
        return json.dumps({"version": VERSION, **asdict(self)}, ensure_ascii=False, indent=1, default=str)

    @classmethod
    def of(cls, told: dict[str, Any]) -> Question:
        """The question of :meth:`to_json`, read.

        Raises
        ------
        ValueError, KeyError, TypeError
        """
        told = dict(told)
        if told.pop("version") != VERSION:
            raise ValueError
        made = cls(**{**told, "today": date.fromisoformat(told["today"])})
        made.ledger()
        if not set(made.order) | set(made.comments) <= set(SECTIONS):
            raise ValueError
        Limits(**made.limits)
        return made

    @classmethod
    def read(cls, path: Path) -> Question:
        """The question kept in a file.

        Raises
        ------
        UsageError
        """
        try:
            return cls.of(json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
            raise UsageError(
                "重做的依据读不出",
                where=str(path),
                found=type(fault).__name__,
                expected="与材料放在一起的 .json",
                remedy="指定材料旁边的 .json",
            ) from None

    def ledger(self) -> list[Item]:
        """The items again."""
        return [
            Item(
                **{name: date.fromisoformat(value) if name in DAYS and value else value for name, value in row.items()}
            )
            for row in self.items
        ]


def as_rows(items: Sequence[Item]) -> list[dict[str, Any]]:
    """Items as a question keeps them."""
    rows = [{name: getattr(item, name) for name in _KEPT} for item in items]
    return [
        {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()} for row in rows
    ]
