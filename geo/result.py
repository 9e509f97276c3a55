"""What every method of this room hands back: a frozen record that unpacks as a tuple."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import ClassVar

import numpy as np


class Result:
    """Base of frozen dataclasses. Arrays in it cannot be written to; the caller's own arrays stay as they were.

    ``unpacks`` names the fields that unpacking yields, in order; by default all of them. What is not named there are
    the parameters and remarks that came with the answer.
    """

    unpacks: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                locked = value.view()
                locked.flags.writeable = False
                object.__setattr__(self, field.name, locked)

    def __iter__(self) -> Iterator:
        return (getattr(self, name) for name in self.unpacks or [field.name for field in fields(self)])
