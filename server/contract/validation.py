"""Validates a request against the rules that the contract states beside its fields.

This is the only place where that is done, for every face: the readers of gRPC and REST requests and
the loopback of the agent call it before any servicer runs. The checks of a message are compiled
once from its descriptor. What needs more than the one field (two fields together, the account, the
market) is left to the code that knows it.
"""

from __future__ import annotations

__all__ = ["pattern_of", "validate"]

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from math import inf
from typing import Any, NoReturn, TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from tasty.v1.field_rule_pb2 import FORMAT_DATE, FORMAT_DATE_TIME, FORMAT_DECIMAL, FieldRule

from server.contract.catalog import is_required, rule_of
from server.contract.spelling import DECIMAL, LONGEST_DECIMAL, MAX_DIGITS, decimal_of, fits
from server.errors import (
    BadInput,
    InvalidDate,
    InvalidField,
    InvalidOptionType,
    InvalidStrike,
    NothingGiven,
    TooManyGiven,
    WeakApiKey,
)

STARS = "***"
"""Shown in place of a secret."""

M = TypeVar("M", bound=Message)
Check = Callable[[Any], None]
"""Raises _Broken for a value, or does nothing."""

DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
DATE_TIME = DATE + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
FORMS: Mapping[int, tuple[str, int]] = {
    FORMAT_DECIMAL: (DECIMAL, LONGEST_DECIMAL),
    FORMAT_DATE: (DATE, 10),
    FORMAT_DATE_TIME: (DATE_TIME, 35),
}
"""The pattern and the largest length that a format implies."""


def validate(request: M) -> M:
    """Returns the request itself; raises BadInput for the first rule that it breaks."""
    try:
        _check_of(request.DESCRIPTOR)(request)
    except _Broken as broken:
        raise broken.error() from None

    return request


def pattern_of(rule: FieldRule) -> tuple[str, int | None]:
    """Returns the pattern and the largest length of a text, stated or implied; "" and None if none.

    The pattern is meant for the whole text, without anchors.
    """
    if rule.format in FORMS:
        return FORMS[rule.format]

    return rule.pattern, rule.max_length if rule.HasField("max_length") else None


class _Broken(Exception):
    """A rule that a value breaks; the path to the field grows as the exception rises."""

    def __init__(self, field: FieldDescriptor, value: object, expected: str) -> None:
        super().__init__()
        self.field = field
        self.value = value
        self.expected = expected
        self.path = field.name

    def error(self) -> BadInput:
        """Returns the error for the caller, in the sentence that the documentation has for it."""
        documented = _DOCUMENTED.get(self.field.full_name)
        error = documented(self) if documented else None
        if error is None:
            error = self._error()

        if error.field is not None:
            error.field = self.path

        return error

    def _error(self) -> BadInput:
        hidden = self.value and rule_of(self.field).secret
        return InvalidField(self.path, STARS if hidden else self.value, self.expected)


class _Missing(_Broken):
    """An empty list or an empty text where there must be something."""

    def _error(self) -> BadInput:
        if self.field.is_repeated:
            return NothingGiven(self.field.name.removesuffix("s"))

        return super()._error()


class _TooMany(_Broken):
    """More elements than a list may have."""

    def _error(self) -> BadInput:
        assert isinstance(self.value, int)  # noqa: S101 - set a few lines below
        most = rule_of(self.field).max_items
        noun = self.path.replace("_", " ")
        return TooManyGiven(noun, given=self.value, allowed=most)


class _BadDate(_Broken):
    """A text that is no day of the calendar."""

    def _error(self) -> BadInput:
        return InvalidDate(str(self.value), self.path)


def _option_type(broken: _Broken) -> BadInput:
    return InvalidOptionType(str(broken.value))


def _strike(broken: _Broken) -> BadInput | None:
    below = isinstance(broken.value, float) and not broken.value > 0
    return InvalidStrike(broken.value) if below else None


def _api_key(_broken: _Broken) -> BadInput:
    return WeakApiKey(minimum=8, maximum=128)


def _message(broken: _Broken) -> BadInput | None:
    return NothingGiven("message") if isinstance(broken, _Missing) else None


_DOCUMENTED: Mapping[str, Callable[[Any], BadInput | None]] = {
    "tasty.v1.Instrument.option_type": _option_type,
    "tasty.v1.NewOrderLeg.option_type": _option_type,
    "tasty.v1.Instrument.strike_price": _strike,
    "tasty.v1.NewOrderLeg.strike_price": _strike,
    "tasty.v1.SaveCredentialsRequest.api_key": _api_key,
    "tasty.v1.ChatRequest.message": _message,
    "tasty.v1.StreamChatRequest.message": _message,
}
"""Fields for which clients have been told another sentence than that of `InvalidField`."""


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
            raise _Missing(field, "", words)

    def check_messages(message: Any) -> None:
        # Elements with nothing in them are none.
        if not any(value.ByteSize() for value in getattr(message, name)):
            raise _Missing(field, "", words)

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

    one = _check_value(field, rule)
    return _each(field, rule, one) if field.is_repeated else one


def _check_value(field: FieldDescriptor, rule: FieldRule) -> Check:
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
            raise _Broken(field, value, expected)

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
            raise _Broken(field, f"{length} characters", f"at most {most} characters")

        if not_empty and value.isspace():
            raise _Missing(field, value, "some text")

        if not matches(value):
            raise _Broken(field, value, expected)

    return check


def _decimal(field: FieldDescriptor) -> Check:
    def check(value: str) -> None:
        if decimal_of(value) is None:
            raise _Broken(field, value, "a decimal number such as 4.50")

    return check


def _date(field: FieldDescriptor) -> Check:
    matches = re.compile(DATE).fullmatch

    def check(value: str) -> None:
        try:
            if matches(value) and date.fromisoformat(value):
                return
        except ValueError:
            pass

        raise _BadDate(field, value, "")

    return check


def _number(field: FieldDescriptor, rule: FieldRule) -> Check:
    low = rule.minimum if rule.HasField("minimum") else -inf
    above = rule.above if rule.HasField("above") else -inf
    high = rule.maximum if rule.HasField("maximum") else inf
    expected = _bounds(rule)

    def check(value: float) -> None:
        # Written so that NaN, which compares with nothing, is refused.
        if not (low <= value <= high and value > above):
            raise _Broken(field, value, expected)

        # From 1 on, the shortest text of a double has less than 18 digits on either side.
        if -1 < value < 1 and not fits(Decimal(repr(value))):
            raise _Broken(field, value, f"a number of at most {MAX_DIGITS} digits")

    return check


def _bounds(rule: FieldRule) -> str:
    if rule.HasField("minimum") and rule.HasField("maximum"):
        return f"a number from {rule.minimum:.10g} to {rule.maximum:.10g}"

    words = {"minimum": "of at least", "above": "above", "maximum": "at most"}
    said = [
        f"{words[bound]} {getattr(rule, bound):.10g}" for bound in words if rule.HasField(bound)
    ]
    return f"a number {', '.join(said)}"


def _each(field: FieldDescriptor, rule: FieldRule, one: Check) -> Check:
    most = rule.max_items if rule.HasField("max_items") else inf
    nested = field.message_type is not None

    def check(values: Any) -> None:
        if len(values) > most:
            raise _TooMany(field, len(values), "")

        # Not enumerated: the place is only looked for once something is wrong.
        try:
            for value in values:
                one(value)
        except _Broken as broken:
            _place(broken, field, values, one, nested=nested)

    return check


def _place(
    broken: _Broken, field: FieldDescriptor, values: Any, one: Check, *, nested: bool
) -> NoReturn:
    index = next(index for index, value in enumerate(values) if _breaks(one, value))
    broken.path = f"{field.name}[{index}].{broken.path}" if nested else f"{field.name}[{index}]"
    raise broken


def _breaks(one: Check, value: Any) -> bool:
    try:
        one(value)
    except _Broken:
        return True

    return False


def _inside(prefix: str, inner: Check) -> Check:
    if not prefix:
        return inner

    def check(value: Any) -> None:
        try:
            inner(value)
        except _Broken as broken:
            broken.path = prefix + broken.path
            raise

    return check
