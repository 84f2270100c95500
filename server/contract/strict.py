"""Reads a JSON body into a message, and refuses whatever is not exactly right.

Where protobuf's own JSON reader is lenient (camelCase names, the last of doubled keys, numbers in
quotes, hexadecimal, "NaN"), a mistake in an order would pass as another order. Decimals are taken
from the text of the number, digit by digit: `-4.50` stays "-4.50" and is never a float.
"""

from __future__ import annotations

__all__ = ["read", "read_list"]

import json
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, NoReturn

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from tasty.v1.field_rule_pb2 import FORMAT_DECIMAL

from server.contract.catalog import is_required, rule_of
from server.contract.spelling import MAX_DIGITS, decimal_of, double_of, exact_of, is_plain, whole_of
from server.errors import InvalidBody, InvalidField, UnknownField

STARS = "***"
"""Shown in place of a secret."""


class _Number(str):
    """The text of a JSON number, not yet anything else."""

    __slots__ = ()


Scalar = Callable[[Any, str], bool | float | int | str]
"""Takes a JSON value and its path; returns the value of a field."""


def read(content: bytes, into: Message, *, null_is_absent: bool = False) -> None:
    """Fills a message from a JSON object, or raises and leaves the message half filled.

    Raises `InvalidBody` for what is no JSON object (or has a key twice), `UnknownField` for a name
    that the message does not have, `InvalidField` for a value of another type. `null` means absent,
    and only where absence has no stand-in: a null `dry_run` could be meant either way. Where
    nothing of that kind is at stake, `null_is_absent` takes it for any field that may be absent.
    """
    value = _parsed(content)
    if not isinstance(value, dict):
        raise InvalidBody("expected a JSON object")

    _Reader(null_is_absent=null_is_absent).fill(into, value, "")


def read_list(content: bytes, into: Message, name: str, *, null_is_absent: bool = False) -> None:
    """Fills the repeated field `name` from a JSON array; raises as `read` does."""
    value = _parsed(content)
    if not isinstance(value, list):
        raise InvalidBody("expected a JSON array")

    _Reader(null_is_absent=null_is_absent).fill_list(into, name, value, name)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_refuse_doubles,
            parse_float=_Number,
            parse_int=_Number,
            parse_constant=_refuse_constant,
        )
    except UnicodeDecodeError:
        raise InvalidBody("it is not UTF-8") from None
    except RecursionError:
        raise InvalidBody("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise InvalidBody(f"it is no JSON ({error.msg}, {place})") from None


class _Reader:
    """Fills messages from what a JSON parser made."""

    def __init__(self, *, null_is_absent: bool) -> None:
        self._null_is_absent = null_is_absent

    def fill(self, message: Message, values: Mapping[str, Any], where: str) -> None:
        fields = _fields(message.DESCRIPTOR)

        for name, value in values.items():
            path = f"{where}{name}"
            field, scalar = fields.get(name) or _refuse_name(path, fields)

            if value is None:
                self._refuse_null(field, path)
            elif field.is_repeated:
                self.fill_list(message, name, value, path)
            elif scalar is None:
                self.fill(_begin(message, field), _object(value, path), f"{path}.")
            else:
                setattr(message, name, scalar(value, path))

    def fill_list(self, message: Message, name: str, value: Any, path: str) -> None:
        if not isinstance(value, list):
            _refuse(path, value, "a list")

        target = getattr(message, name)
        _, scalar = _fields(message.DESCRIPTOR)[name]

        for index, item in enumerate(value):
            place = f"{path}[{index}]"

            if scalar is None:
                self.fill(target.add(), _object(item, place), f"{place}.")
            else:
                target.append(scalar(item, place))

    def _refuse_null(self, field: FieldDescriptor, path: str) -> None:
        if self._null_is_absent:
            allowed = not is_required(field)
        else:
            allowed = field.has_presence and not rule_of(field).default

        if not allowed:
            _refuse(path, None, "a value, or nothing at all")


@cache
def _fields(message: Descriptor) -> Mapping[str, tuple[FieldDescriptor, Scalar | None]]:
    """Returns the fields by name, each with what reads its values; None for messages."""
    return {
        field.name: (field, None if field.message_type is not None else _scalar(field))
        for field in message.fields
    }


def _refuse_name(
    path: str, fields: Mapping[str, tuple[FieldDescriptor, Scalar | None]]
) -> NoReturn:
    raise UnknownField(path, fields)


def _begin(message: Message, field: FieldDescriptor) -> Message:
    inner: Message = getattr(message, field.name)
    inner.SetInParent()
    return inner


def _object(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        _refuse(path, value, "an object")

    return value


def _scalar(field: FieldDescriptor) -> Scalar:
    rule = rule_of(field)

    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_BOOL:
            return _bool
        case FieldDescriptor.CPPTYPE_DOUBLE:
            return _double
        case FieldDescriptor.CPPTYPE_INT32:
            return _int32
        case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_STRING:
            if rule.format == FORMAT_DECIMAL:
                return _decimal

            return _secret if rule.secret else _text
        case _:
            return _unreadable(field)


def _unreadable(field: FieldDescriptor) -> Scalar:
    def refuse(_value: Any, _path: str) -> NoReturn:
        raise TypeError(f"{field.full_name}: strict bodies have no fields of this type")

    return refuse


def _bool(value: Any, path: str) -> bool:
    return value if isinstance(value, bool) else _refuse(path, value, "true or false")


def _secret(value: Any, path: str) -> str:
    try:
        return _text(value, path)
    except InvalidField:
        raise InvalidField(path, STARS, "a text") from None


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str) or isinstance(value, _Number):
        _refuse(path, value, "a text")

    try:
        value.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can escape
        _refuse(path, ascii(value), "a text of Unicode characters")

    return value


def _decimal(value: Any, path: str) -> str:
    """Takes a number, or a text of plain digits, and returns it in plain digits."""
    if not isinstance(value, str):
        _refuse(path, value, "a decimal number")

    if is_plain(value):
        return str(value)

    if isinstance(value, _Number):
        return format(_exact(value, path), "f")

    number = decimal_of(value)
    return format(number, "f") if number is not None else _refuse(path, value, "a decimal number")


def _double(value: Any, path: str) -> float:
    """Takes a number that a double holds without loss: what is acted on is what was sent."""
    if not isinstance(value, _Number):
        _refuse(path, value, "a number")

    if is_plain(value):
        return float(value)

    double = double_of(_exact(value, path))
    return double if double is not None else _refuse(path, value, "a number of at most 15 digits")


def _int32(value: Any, path: str) -> int:
    if not isinstance(value, _Number):
        _refuse(path, value, "a whole number")

    number = whole_of(value)
    return number if number is not None else _refuse(path, value, "a whole number of 32 bits")


def _exact(number: _Number, path: str) -> Decimal:
    exact = exact_of(number)
    expected = f"a number of at most {MAX_DIGITS} digits"
    return exact if exact is not None else _refuse(path, number, expected)


def _refuse_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)

    if len(values) != len(pairs):
        names = Counter(name for name, _ in pairs)
        doubled = next(name for name, count in names.items() if count > 1)
        raise InvalidBody(f"the key '{doubled[:40]}' is there twice")

    return values


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidBody(f"it is no JSON ({name} is no number)")


def _refuse(path: str, given: Any, expected: str) -> NoReturn:
    match given:
        case str():
            shown: str = given
        case list():
            shown = "[…]"
        case dict():
            shown = "{…}"
        case _:
            shown = json.dumps(given)

    raise InvalidField(path, shown, expected)
