"""Disputes (矛盾纠纷): statistics by period and area, from the source that fits the window."""

from data.store.disputes.comparison import Compared, compared_disputes, reports_due
from data.store.disputes.question import disputes
from data.store.disputes.sources import dispute_sources

__all__ = ["Compared", "compared_disputes", "dispute_sources", "disputes", "reports_due"]
