"""Which areas a caller may see; every question to the Store names one, and nothing outside it is answered."""

from __future__ import annotations

from dataclasses import dataclass

from data.errors import YanpanError


class OutsideScope(YanpanError):
    """An area outside the caller's scope was named (HTTP 403)."""


class UnknownArea(YanpanError):
    """A code names no area or grid of the release (HTTP 404)."""


@dataclass(frozen=True)
class Scope:
    """The areas a caller may see, each with everything under it.

    Attributes
    ----------
    areas : tuple of str or None
        Codes of areas or grids of any level; None is the whole release; empty is nothing.
    """

    areas: tuple[str, ...] | None

    @classmethod
    def everything(cls) -> Scope:
        """The whole release, incidents without a place included."""
        return cls(None)

    def to_meta(self) -> list[str] | str:
        """The scope as an answer states it."""
        return "all" if self.areas is None else list(self.areas)
