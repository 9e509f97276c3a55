"""Every question the dashboard asks goes through here: ``with store.current() as release: counts(release, …)``.

Each question takes a Selection (what is looked at) and a Scope (what the caller may see); there is no default scope.
"""

from data.index import DETAILS
from data.store.answer import Answer, Features
from data.store.catalogue import areas, describe
from data.store.counts import counts
from data.store.features import FEATURE_LAYERS, Extent, features
from data.store.limits import Limits
from data.store.profile import profile
from data.store.release import Release
from data.store.scope import OutsideScope, Scope, UnknownArea
from data.store.store import Store
from data.store.trend import STEPS, trend

__all__ = [
    "DETAILS",
    "FEATURE_LAYERS",
    "STEPS",
    "Answer",
    "Extent",
    "Features",
    "Limits",
    "OutsideScope",
    "Release",
    "Scope",
    "Store",
    "UnknownArea",
    "areas",
    "counts",
    "describe",
    "features",
    "profile",
    "trend",
]
