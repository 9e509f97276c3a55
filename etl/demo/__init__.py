"""The synthetic city (``yanpan demo``): messy files as centres file them, and the truth behind them."""

from etl.demo.write import DemoSummary, write_demo

__all__ = ["DemoSummary", "write_demo"]
