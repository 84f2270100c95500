"""A list of messages as text: the field names of the contract above, one line each.

Columns in which no line has anything are left out: most of a broker's fields are empty most of the
time, and a table is read by people and by models, who pay for its width.
"""

from __future__ import annotations

__all__ = ["plain_table"]

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from server.tables.layout import NO_DATA, cell_text, lay_out

Cell = Callable[[Any], str]
Field = tuple[str, bool]
"""The name of a field, and whether it may be absent."""


def plain_table(messages: Sequence[Message], cells: Mapping[str, Cell] | None = None) -> str:
    """Returns the table; `cells` says how to write fields that are lists."""
    if not messages:
        return NO_DATA

    cells = cells or {}
    columns = (
        (name, _column(messages, name, optional, cells.get(name, cell_text)))
        for name, optional in _fields(messages[0].DESCRIPTOR, frozenset(cells))
    )
    return lay_out((name, column) for name, column in columns if any(column))


@cache
def _fields(message: Descriptor, lists: frozenset[str]) -> tuple[Field, ...]:
    return tuple(
        (field.name, field.has_presence)
        for field in message.fields
        if not field.is_repeated or field.name in lists
    )


def _column(messages: Sequence[Message], name: str, optional: bool, cell: Cell) -> list[str]:
    if optional:
        return [cell(getattr(each, name)) if each.HasField(name) else "" for each in messages]

    return [cell(getattr(each, name)) for each in messages]
