"""What the first visitor would wait for, made in the background as soon as a release is open."""

from __future__ import annotations

import logging
import threading

from dashboard.tiles.served import units_text
from data.errors import YanpanError
from data.index import INCIDENT_LEVELS
from data.store import Release, Scope, Store, coverage, coverage_rules
from data.store.hotspots import hotspots, unit_classes
from data.store.hotspots.outlines import neighbours

LOOKS_EVERY_S = 2.0
BEGINS_AFTER_S = 20.0  # whoever opens the page right after the start goes first
_AFTER_A_FAULT_S = 60.0
_log = logging.getLogger(__name__)


class Warming:
    """A thread that follows the current release and asks what every visitor will ask."""

    def __init__(self, store: Store):
        self._store, self._ended = store, threading.Event()
        self._thread = threading.Thread(target=self._follow, name="warming", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is under way."""
        self._ended.set()
        self._thread.join(timeout=LOOKS_EVERY_S)

    def _follow(self) -> None:
        done = None
        self._ended.wait(BEGINS_AFTER_S)
        while not self._ended.is_set():
            try:
                with self._store.current() as release:
                    if release.info.release_id != done:
                        self._warm(release)
                        done = release.info.release_id
            except YanpanError:
                pass  # nothing is published yet: visitors are told so
            except Exception:
                _log.exception("warming")  # visitors then wait a little longer; nothing else depends on it
                self._ended.wait(_AFTER_A_FAULT_S)
            self._ended.wait(LOOKS_EVERY_S)

    def begin(self) -> None:
        """Open the release and find its hotspots, which every page shows first, before the first visitor is let in."""
        try:
            with self._store.current() as release:
                _hotspots(release)
        except YanpanError:
            pass  # told again, and to whom it may concern, by every answer
        except Exception:
            _log.exception("warming")

    def _warm(self, release: Release) -> None:
        everything = Scope.everything()
        levels = [level for level in INCIDENT_LEVELS if len(release.units.level(level))]
        for level in levels:
            units_text(release, everything, level)
        if levels:
            neighbours(release, levels[-1])
        _hotspots(release)
        coverage(release, release.selection([]), everything)
        coverage_rules(release, release.selection([]), everything)


def _hotspots(release: Release) -> None:
    """Those of the default window and of the one before it, and the density."""
    if not len(release.units.level("grid")) or not release.reports.source_ids:
        return
    week, everything = release.selection([]), Scope.everything()
    for window in ("now", "before"):
        unit_classes(release, week, everything, "gi", "grid", window)
    hotspots(release, week, everything, "kde")
