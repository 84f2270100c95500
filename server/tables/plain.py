"""A list of messages as text: the field names of the contract above, one line each.

Columns in which no line has anything are left out: most of a broker's fields are empty most of the
time, and a table is read by people and by models, who pay for its width.
"""

from __future__ import annotations

__all__ = ["NO_DATA", "plain_table"]

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from tabulate import tabulate

NO_DATA = "No data"

Cell = Callable[[Any], str]


def plain_table(messages: Sequence[Message], cells: Mapping[str, Cell] | None = None) -> str:
    """Returns the table; `cells` says how to write fields that are messages themselves."""
    if not messages:
        return NO_DATA

    cells = cells or {}
    columns: dict[str, list[str]] = {}
    for field in messages[0].DESCRIPTOR.fields:
        column = _column(field, messages, cells.get(field.name))
        if any(column):
            columns[field.name] = column

    # tabulate must not take our texts for numbers: it would print "4.50" as 4.5.
    return str(
        tabulate(
            list(zip(*columns.values(), strict=True)),
            headers=list(columns),
            tablefmt="plain",
            disable_numparse=True,
        )
    )


def _column(field: Any, messages: Sequence[Message], cell: Cell | None) -> list[str]:
    if cell is not None:
        return [cell(getattr(each, field.name)) for each in messages]

    if field.is_repeated:
        return []

    if field.has_presence:
        return [
            _text(getattr(each, field.name)) if each.HasField(field.name) else ""
            for each in messages
        ]

    return [_text(getattr(each, field.name)) for each in messages]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"

    if isinstance(value, float):
        return f"{value:.15g}"

    if isinstance(value, Timestamp):
        return value.ToJsonString()

    return "" if isinstance(value, Message) else str(value)
