"""What is told to a webhook: new alerts of a release. Kept in ``app.db`` until it is there."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from dashboard import language
from dashboard.alert_words import alert_words
from data.app_db import AppDb, notices
from data.store import Scope, Store
from data.store.alerts import alerts
from data.webhook import Webhook, send

LOOKS_EVERY_S = 20.0
ALERTS = "alerts"
_log = logging.getLogger(__name__)


def queue_alerts(db: AppDb, releases: Path) -> None:
    """Queue the alerts of the current release that were in no notice before; none, no notice."""
    store = Store(releases)
    try:
        with store.current() as release:
            found = alerts(release, Scope.everything())
            about = release.base_meta()
    finally:
        store.close()
    known = {one["alert_id"] for body in notices.bodies(db, ALERTS) for one in body["alerts"]}
    with language.speaking("zh"):
        fresh = [_told(one) for one in found if one.alert_id not in known]
    if fresh:
        notices.queue(db, f"{ALERTS}:{about['release']}", {"kind": ALERTS, **about, "alerts": fresh})


def _told(alert) -> dict:
    kind, words = alert_words(alert)
    return {"alert_id": alert.alert_id, "kind": alert.kind, "kind_name": kind, "severity": alert.severity,
            "area_code": alert.code, "words": words}  # fmt: skip


def deliver(db: AppDb, hook: Webhook) -> tuple[int, int]:
    """Send what is due; how many went, how many did not."""
    went = stayed = 0
    while (notice := notices.take(db)) is not None:
        fault = send(hook, notice.key, notice.body)
        notices.sent(db, notice, fault)
        went, stayed = went + (fault is None), stayed + (fault is not None)
    return went, stayed


class Postman:
    """A thread that delivers while the server runs."""

    def __init__(self, db: AppDb, hook: Webhook):
        self._db, self._hook, self._ended = db, hook, threading.Event()
        self._thread = threading.Thread(target=self._walk, name="notices", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is under way."""
        self._ended.set()

    def _walk(self) -> None:
        while not self._ended.wait(LOOKS_EVERY_S):
            try:
                deliver(self._db, self._hook)
            except Exception:
                _log.exception("notices")  # tried again at the next look
