"""Checks of single values, each made once of what the contract says of its field."""

from __future__ import annotations

__all__ = ["Check", "check_value", "pattern_of"]

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from math import inf
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from tasty.v1.field_rule_pb2 import FORMAT_DATE, FORMAT_DATE_TIME, FORMAT_DECIMAL, FieldRule

from server.contract.broken_rules import BrokenRule, MissingValue, NoSuchDay
from server.contract.spelling import DECIMAL, LONGEST_DECIMAL, MAX_DIGITS, decimal_of, fits

Check = Callable[[Any], None]
"""Raises BrokenRule for a value, or does nothing."""

DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
DATE_TIME = DATE + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
FORMS: Mapping[int, tuple[str, int]] = {
    FORMAT_DECIMAL: (DECIMAL, LONGEST_DECIMAL),
    FORMAT_DATE: (DATE, 10),
    FORMAT_DATE_TIME: (DATE_TIME, 35),
}
"""The pattern and the largest length that a format implies."""


def pattern_of(rule: FieldRule) -> tuple[str, int | None]:
    """Returns the pattern and the largest length of a text, stated or implied; "" and None if none.

    The pattern is meant for the whole text, without anchors.
    """
    if rule.format in FORMS:
        return FORMS[rule.format]

    return rule.pattern, rule.max_length if rule.HasField("max_length") else None


def check_value(field: FieldDescriptor, rule: FieldRule) -> Check:
    """Returns the check of a value of the field, or of one of its elements."""
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_STRING:
            return _one_of(field, rule) if rule.values else _text(field, rule)
        case FieldDescriptor.CPPTYPE_DOUBLE | FieldDescriptor.CPPTYPE_INT32:
            return _number(field, rule)
        case FieldDescriptor.CPPTYPE_BOOL | FieldDescriptor.CPPTYPE_ENUM:
            return _anything
        case _:
            raise TypeError(f"{field.full_name}: requests have no fields of this type")


def _anything(_value: object) -> None:
    """Passes a value whose type is its bound."""


def _one_of(field: FieldDescriptor, rule: FieldRule) -> Check:
    values = frozenset(rule.values)
    expected = f"one of {', '.join(rule.values)}"

    def check(value: str) -> None:
        if value not in values:
            raise BrokenRule(field, value, expected)

    return check


def _text(field: FieldDescriptor, rule: FieldRule) -> Check:
    if rule.format == FORMAT_DECIMAL:
        return _decimal(field)

    if rule.format == FORMAT_DATE:
        return _date(field)

    pattern, most = pattern_of(rule)
    matches = re.compile(pattern).fullmatch if pattern else bool
    longest = inf if most is None else most
    not_empty = rule.not_empty and not field.is_repeated  # there it is about the list
    expected = rule.expected or "a time such as 2025-12-15T14:30:00-05:00"

    def check(value: str) -> None:
        length = len(value)
        if length > longest:
            raise BrokenRule(field, f"{length} characters", f"at most {most} characters")

        if not_empty and value.isspace():
            raise MissingValue(field, value, "some text")

        if not matches(value):
            raise BrokenRule(field, value, expected)

    return check


def _decimal(field: FieldDescriptor) -> Check:
    def check(value: str) -> None:
        if decimal_of(value) is None:
            raise BrokenRule(field, value, "a decimal number such as 4.50")

    return check


def _date(field: FieldDescriptor) -> Check:
    matches = re.compile(DATE).fullmatch

    def check(value: str) -> None:
        try:
            if matches(value) and date.fromisoformat(value):
                return
        except ValueError:
            pass

        raise NoSuchDay(field, value, "")

    return check


def _number(field: FieldDescriptor, rule: FieldRule) -> Check:
    low = rule.minimum if rule.HasField("minimum") else -inf
    above = rule.above if rule.HasField("above") else -inf
    high = rule.maximum if rule.HasField("maximum") else inf
    expected = _bounds(rule)

    def check(value: float) -> None:
        # Written so that NaN, which compares with nothing, is refused.
        if not (low <= value <= high and value > above):
            raise BrokenRule(field, value, expected)

        # From 1 on, the shortest text of a double has less than 18 digits on either side.
        if -1 < value < 1 and not fits(Decimal(repr(value))):
            raise BrokenRule(field, value, f"a number of at most {MAX_DIGITS} digits")

    return check


def _bounds(rule: FieldRule) -> str:
    if rule.HasField("minimum") and rule.HasField("maximum"):
        return f"a number from {rule.minimum:.10g} to {rule.maximum:.10g}"

    words = {"minimum": "of at least", "above": "above", "maximum": "at most"}
    said = [
        f"{words[bound]} {getattr(rule, bound):.10g}" for bound in words if rule.HasField(bound)
    ]
    return f"a number {', '.join(said)}"
