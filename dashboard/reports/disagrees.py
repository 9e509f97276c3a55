"""The fault of a pack that is not what its release says."""

from __future__ import annotations

from data.errors import YanpanError


class PackDisagrees(YanpanError):
    """A number of a pack is not what the release says."""
