"""Columns side by side, in the layout that tabulate calls "plain".

Made here because tabulate first guesses a type for each cell, which costs a millisecond for ten
lines: more than all the rest of a call that reads positions or quotes.
"""

from __future__ import annotations

__all__ = ["NO_DATA", "cell_text", "lay_out"]

from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

NO_DATA = "No data"
GAP = "  "
HEADER_PADDING = 2
"""A column is at least this much wider than its header, as in tabulate's layout."""


def lay_out(columns: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Returns the table of columns, each a header and its cells."""
    named = list(columns)
    if not named:
        return ""

    widths = [max(len(header) + HEADER_PADDING, *map(len, cells)) for header, cells in named]
    line = GAP.join([f"%-{width}s" for width in widths])
    lines = zip(*[(header, *cells) for header, cells in named], strict=True)
    return "\n".join([(line % cells).rstrip() for cells in lines])


def cell_text(value: Any) -> str:
    """Returns a field's value in one line."""
    if isinstance(value, str):
        return value if value.isprintable() else " ".join(value.split())

    if isinstance(value, bool):
        return "true" if value else "false"

    if isinstance(value, float):
        return f"{value:.15g}"

    if isinstance(value, Timestamp):
        return value.ToJsonString()

    return "" if isinstance(value, Message) else str(value)
