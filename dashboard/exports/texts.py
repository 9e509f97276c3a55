"""Columns as a spreadsheet may hold them, whole columns at a time."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from dashboard.json_texts import finite

# What a spreadsheet would take for a formula, or hides before one; full-width signs count too in East Asian settings.
_FORMULA = r"^[\s\x00-\x1f]*[=+\-@＝＋－＠]|^[\t\r\n]"


def guarded(table: pa.Table) -> pa.Table:
    """The table with ``'`` before every text a spreadsheet would run as a formula, and not finite numbers null."""
    for position, name in enumerate(table.column_names):
        column = table[name]
        if pa.types.is_string(column.type):
            risky = pc.match_substring_regex(column, _FORMULA)
            if pc.any(risky).as_py():
                column = pc.if_else(risky, pc.binary_join_element_wise("'", column, ""), column)
        table = table.set_column(position, name, finite(column))
    return table
