"""The one shape every message to a user has: what, where, found, expected, remedy."""

from __future__ import annotations


class YanpanError(Exception):
    """Base of all faults shown to a user as one line; never carries a personal value."""

    def __init__(self, what: str, *, where: str = "", found: str = "", expected: str = "", remedy: str = ""):
        self.what, self.where, self.found, self.expected, self.remedy = what, where, found, expected, remedy
        super().__init__(self.line())

    def line(self) -> str:
        """The message as one line; empty parts are left out."""
        parts = [self.what]
        for label, text in (("位置", self.where), ("发现", self.found), ("应为", self.expected), ("处理", self.remedy)):
            if text:
                parts.append(f"{label}: {text}")
        return " | ".join(" ".join(str(part).split()) for part in parts)


class UsageError(YanpanError):
    """The command or a setting was used wrongly (exit 2)."""


class DataFault(YanpanError):
    """The data refuses to be published (exit 1)."""


class ReleaseError(YanpanError):
    """A release is missing, broken, or locked by another writer."""
