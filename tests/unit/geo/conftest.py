"""Oracles run as plain Python: numba (a help of `make bench`) compiles longer than the small cases here take."""

import sys

sys.modules.setdefault("numba", None)
