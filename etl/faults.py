"""Faults of a source: each stops the run before anything is published."""

from __future__ import annotations

from data.errors import DataFault, UsageError


class SourcesFileError(UsageError):
    """sources.toml is missing, malformed, or asks for something that does not exist."""


class FileFault(DataFault):
    """A file cannot be read as what it is declared to be."""


class ColumnFault(DataFault):
    """A mapped column is absent, a required field is unmapped, or a mapped column is not allowed."""


class CrsFault(DataFault):
    """No coordinate system, or one the coordinates cannot be in."""


class PersonalDataFault(DataFault):
    """Personal data where the release would keep it; the value is never shown."""


class RejectFault(DataFault):
    """More rows of a source were rejected than it allows."""
