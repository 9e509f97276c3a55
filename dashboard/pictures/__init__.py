"""Maps and charts drawn on the server: a question to the Store gives a frame and a head, a drawing makes a figure.

The drawings are pure and can be put on any page size; nothing here uses pyplot or changes matplotlib's settings. This
module and what it imports do without matplotlib, which costs every worker 27 MB: who draws imports ``drawn`` and
``files`` when there is something to draw.
"""

from __future__ import annotations

from dashboard.measures import MEASURES
from data.errors import YanpanError
from data.index import INCIDENT_LEVELS
from data.store import STEPS

# Each picture's own parameters; what one may be, or None for the layers of a map.
PICTURES: dict[str, dict[str, tuple[str, ...] | None]] = {
    "map": {"level": INCIDENT_LEVELS, "measure": MEASURES, "layers": None},
    "trend": {"step": STEPS},
    "profile": {},
    "categories": {},
    "ranking": {"level": INCIDENT_LEVELS},
}


class FontMissing(YanpanError):
    """No installed font has Chinese characters."""
