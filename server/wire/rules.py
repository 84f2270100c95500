"""Holds a request against the rules that the contract itself states beside its fields.

Ranges, sets of values and "not empty" are options of the fields (`field_rule.proto`), from which
the OpenAPI document is made too; read here, they cannot say one thing and do another. Forms (dates,
decimals, symbols) are read, not checked: whoever reads one refuses it.
"""

from __future__ import annotations

__all__ = ["checked"]

from collections.abc import Callable
from functools import cache
from math import inf
from typing import Any, TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from tasty.v1 import field_rule_pb2

from server.errors import InvalidField, NothingGiven

M = TypeVar("M", bound=Message)
Check = Callable[[Any], None]

RULE: Any = field_rule_pb2.rule  # its stub forgets what it extends


def checked(request: M) -> M:
    """Returns the request itself; raises InvalidField or NothingGiven for the first broken rule."""
    for check in _checks(request.DESCRIPTOR):
        check(request)

    return request


@cache
def _checks(message: Descriptor) -> tuple[Check, ...]:
    checks: list[Check] = []
    for field in message.fields:
        rule = field.GetOptions().Extensions[RULE]
        if rule.not_empty:
            checks.append(_not_empty(field))

        if rule.values and not field.is_repeated:
            checks.append(_one_of(field, tuple(rule.values)))

        if any(rule.HasField(bound) for bound in ("minimum", "above", "maximum")):
            checks.append(_within(field, rule))

    return tuple(checks)


def _not_empty(field: FieldDescriptor) -> Check:
    name = field.name

    def check(request: Any) -> None:
        value = getattr(request, name)
        if field.is_repeated and not value:
            raise NothingGiven(name.removesuffix("s"))

        if not field.is_repeated and not value.strip():
            raise InvalidField(name, value, "some text")

    return check


def _one_of(field: FieldDescriptor, values: tuple[str, ...]) -> Check:
    name = field.name
    expected = f"one of {', '.join(values)}"

    def check(request: Any) -> None:
        if field.has_presence and not request.HasField(name):
            return

        value = getattr(request, name)
        if value not in values:
            raise InvalidField(name, value, expected)

    return check


def _within(field: FieldDescriptor, rule: Any) -> Check:
    name = field.name
    low = rule.minimum if rule.HasField("minimum") else -inf
    above = rule.above if rule.HasField("above") else -inf
    high = rule.maximum if rule.HasField("maximum") else inf
    expected = _expected(rule)

    def check(request: Any) -> None:
        if field.has_presence and not request.HasField(name):
            return

        value = getattr(request, name)
        # Written so that NaN, which compares with nothing, is refused.
        if not (low <= value <= high and value > above):
            raise InvalidField(name, value, expected)

    return check


def _expected(rule: Any) -> str:
    if rule.HasField("minimum") and rule.HasField("maximum"):
        return f"a number from {rule.minimum:g} to {rule.maximum:g}"
    bounds = {"minimum": "of at least", "above": "above", "maximum": "of at most"}
    said = [
        f"{words} {getattr(rule, bound):g}"
        for bound, words in bounds.items()
        if rule.HasField(bound)
    ]
    return f"a number {' and '.join(said)}"
