"""What people write while they work: the ledger, meetings, acknowledged alerts, notices to be sent. One SQLite file beside the
releases, ``app.db``, spoken to through the SQLAlchemy ORM; a release never changes, this does.
"""

from data.app_db.database import AppDb
from data.app_db.tables import Acknowledgement, Change, Item, Meeting, Notice

__all__ = ["Acknowledgement", "AppDb", "Change", "Item", "Meeting", "Notice"]
