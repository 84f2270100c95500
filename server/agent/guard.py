"""What a tool may do, decided by its effect and by the operator's setting: never by the model.

A tool added to the contract tomorrow is judged the same way: what does not say of itself that it
only reads, waits for a person's code.
"""

from __future__ import annotations

__all__ = ["Permission", "dry_run_of", "permission"]

from enum import Enum
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from server.contract.catalog import Effect
from server.contract.tools import Tool

DRY_RUN = "dry_run"
M = TypeVar("M", bound=Message)


class Permission(Enum):
    """What becomes of a call."""

    RUN = "run"
    """It changes nothing."""
    TICKET = "ticket"
    """It is prepared, and waits for the user's code."""
    AT_ONCE = "at once"
    """It is carried out without a person, under the caps: the operator allows that."""
    REFUSE = "refuse"


def permission(tool: Tool, request: Message, trading: str) -> Permission:
    """Decides about one call; `trading` is the setting."""
    if tool.effect is Effect.READS or _holder(request, of_true=True) is not None:
        return Permission.RUN

    return {
        "confirm": Permission.TICKET,
        "auto": Permission.AT_ONCE,
    }.get(trading, Permission.REFUSE)


def dry_run_of(request: M) -> M | None:
    """Returns a copy of the request that only checks; None where there is no such thing."""
    copy = type(request)()
    copy.CopyFrom(request)
    holder = _holder(copy)
    if holder is None:
        return None

    setattr(holder, DRY_RUN, True)
    return copy


def _holder(request: Message, *, of_true: bool = False) -> Message | None:
    """Finds the message with the field `dry_run`: the request itself, or what it carries."""
    inner: list[Any] = [request]
    inner += [
        getattr(request, field.name)
        for field in request.DESCRIPTOR.fields
        if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE and not field.is_repeated
    ]
    for message in inner:
        if DRY_RUN in message.DESCRIPTOR.fields_by_name:
            return message if not of_true or getattr(message, DRY_RUN) else None

    return None
