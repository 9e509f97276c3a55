"""/meeting 碰头会: the pack to read, comment and present, decisions recorded during the meeting, the ledger."""

from dashboard.pages.meeting.routes import add

__all__ = ["add"]
