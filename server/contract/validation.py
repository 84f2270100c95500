"""Validates a request against the rules that the contract states beside its fields.

This is the only place where that is done, for every face: the readers of gRPC and REST requests and
the loopback of the agent call it before any servicer runs. The checks of a message are compiled
once from its descriptor. What needs more than the one field (two fields together, the account, the
market) is left to the code that knows it.
"""

from __future__ import annotations

__all__ = ["validate"]

from functools import cache
from math import inf
from typing import Any, NoReturn, TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from tasty.v1.field_rule_pb2 import FieldRule

from server.contract.broken_rules import BrokenRule, MissingValue, TooManyItems
from server.contract.catalog import is_required, rule_of
from server.contract.field_checks import Check, check_value

M = TypeVar("M", bound=Message)


def validate(request: M) -> M:
    """Returns the request itself; raises BadInput for the first rule that it breaks."""
    try:
        _check_of(request.DESCRIPTOR)(request)
    except BrokenRule as broken:
        raise broken.error() from None

    return request


@cache
def _check_of(message: Descriptor) -> Check:
    """Returns the check of a whole request."""
    return _check_message(message, whole=True)


def _check_message(message: Descriptor, *, whole: bool = False) -> Check:
    needed = tuple(
        absent for field in message.fields if (absent := _check_absence(field)) is not None
    )
    given = {field: _check_given(field, whole=whole) for field in message.fields}

    def check(value: Any) -> None:
        for absent in needed:
            absent(value)

        # Only what is there: most fields of most requests are not.
        for field, content in value.ListFields():
            given[field](content)

    return check


def _check_absence(field: FieldDescriptor) -> Check | None:
    """Returns what looks in a message for a field that must be there; None where it may miss."""
    rule, name = rule_of(field), field.name
    if field.message_type is not None and not field.is_repeated:
        return _check_absent_message(field) if is_required(field) else None

    # A text without presence that has a set of values is one of them: the empty text is none.
    chosen = bool(rule.values) and not field.has_presence and not field.is_repeated
    if not rule.not_empty and not chosen:
        return None

    words = f"one of {', '.join(rule.values)}" if chosen else "some text"

    def check(message: Any) -> None:
        if not getattr(message, name):
            raise MissingValue(field, "", words)

    def check_messages(message: Any) -> None:
        # Elements with nothing in them are none.
        if not any(value.ByteSize() for value in getattr(message, name)):
            raise MissingValue(field, "", words)

    return check if field.message_type is None else check_messages


def _check_absent_message(field: FieldDescriptor) -> Check:
    """A required message that is not there is an empty one: its own fields say what is missing."""
    assert field.message_type is not None  # noqa: S101 - the caller has looked
    name, inner = field.name, _check_message(field.message_type)

    def check(message: Any) -> None:
        if not message.HasField(name):
            inner(getattr(message, name))

    return check


def _check_given(field: FieldDescriptor, *, whole: bool) -> Check:
    rule = rule_of(field)
    if field.message_type is not None:
        # A single message of a request is the body of its REST route: its fields need no prefix.
        prefix = "" if whole and not field.is_repeated else f"{field.name}."
        one = _check_message(field.message_type)
        return _each(field, rule, one) if field.is_repeated else _inside(prefix, one)

    one = check_value(field, rule)
    return _each(field, rule, one) if field.is_repeated else one


def _each(field: FieldDescriptor, rule: FieldRule, one: Check) -> Check:
    most = rule.max_items if rule.HasField("max_items") else inf
    nested = field.message_type is not None

    def check(values: Any) -> None:
        if len(values) > most:
            raise TooManyItems(field, len(values), "")

        # Not enumerated: the place is only looked for once something is wrong.
        try:
            for value in values:
                one(value)
        except BrokenRule as broken:
            _place(broken, field, values, one, nested=nested)

    return check


def _place(
    broken: BrokenRule, field: FieldDescriptor, values: Any, one: Check, *, nested: bool
) -> NoReturn:
    index = next(index for index, value in enumerate(values) if _breaks(one, value))
    broken.path = f"{field.name}[{index}].{broken.path}" if nested else f"{field.name}[{index}]"
    raise broken


def _breaks(one: Check, value: Any) -> bool:
    try:
        one(value)
    except BrokenRule:
        return True

    return False


def _inside(prefix: str, inner: Check) -> Check:
    if not prefix:
        return inner

    def check(value: Any) -> None:
        try:
            inner(value)
        except BrokenRule as broken:
            broken.path = prefix + broken.path
            raise

    return check
