"""What every method of this room hands back: a frozen record that unpacks as a tuple."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import ClassVar

import numpy as np


class Result:
    """Base of frozen dataclasses (``eq=False``: the comparison here knows arrays).

    Arrays in it cannot be written to, also after a copy or a pickle; the caller's own arrays stay as they were.

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

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(_same(getattr(self, field.name), getattr(other, field.name)) for field in fields(self))

    __hash__ = None

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        Result.__post_init__(self)

    def __iter__(self) -> Iterator:
        return (getattr(self, name) for name in self.unpacks or [field.name for field in fields(self)])


def _same(one, other) -> bool:
    """Equal, with missing equal to missing."""
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if hasattr(one, "equals"):  # frames
        return one.equals(other)
    return one == other or (one != one and other != other)
