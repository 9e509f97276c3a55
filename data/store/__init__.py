"""Every question the dashboard asks goes through here: ``with store.current() as release: counts(release, …)``.

Each question takes a Selection (what is looked at) and a Scope (what the caller may see); there is no default scope.
"""

from data.index import DETAILS
from data.store.answer import Answer, Features
from data.store.band import trend_band
from data.store.catalogue import areas, describe
from data.store.counts import counts
from data.store.coverage import coverage, coverage_rules
from data.store.disputes import disputes
from data.store.extent import Extent
from data.store.features import FEATURE_LAYERS, features
from data.store.limits import Limits
from data.store.profile import profile
from data.store.release import Release
from data.store.rows import incident_rows
from data.store.scope import OutsideScope, Scope, UnknownArea
from data.store.store import Store
from data.store.summary import summary
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
    "coverage",
    "coverage_rules",
    "describe",
    "disputes",
    "features",
    "incident_rows",
    "profile",
    "summary",
    "trend",
    "trend_band",
]
