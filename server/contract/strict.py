"""Reads a JSON body into a message, and refuses whatever is not exactly right.

Where protobuf's own JSON reader is lenient (camelCase names, the last of doubled keys, numbers in
quotes, "NaN", null for anything), a mistake in an order would pass as another order. Decimals are
taken from the text of the number, digit by digit: `-4.50` stays "-4.50" and is never a float.
"""

from __future__ import annotations

__all__ = ["read"]

import json
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from tasty.v1.field_rule_pb2 import FORMAT_DECIMAL

from server.contract.catalog import rule_of
from server.contract.spelling import MAX_DIGITS, decimal_of, double_of, exact_of, whole_of
from server.errors import InvalidBody, InvalidField, UnknownField


class _Number(str):
    """The text of a JSON number, not yet anything else."""

    __slots__ = ()


def read(content: bytes, into: Message) -> None:
    """Fills a message from a JSON object, or raises and leaves the message half filled.

    Raises `InvalidBody` for what is no JSON object (or has a key twice), `UnknownField` for a name
    that the message does not have, `InvalidField` for a value of another type. `null` means absent,
    and only where absence has no stand-in: a null `dry_run` could be meant either way.
    """
    try:
        value = json.loads(
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

    if not isinstance(value, dict):
        raise InvalidBody("expected a JSON object")

    _fill(into, value, "")


def _fill(message: Message, values: Mapping[str, Any], where: str) -> None:
    fields: Mapping[str, FieldDescriptor] = dict(message.DESCRIPTOR.fields_by_name)  # type: ignore[arg-type] # the stubs know two classes for one thing

    for name, value in values.items():
        path = f"{where}{name}"
        field = fields.get(name)

        if field is None:
            raise UnknownField(path, fields)

        if value is None:
            _refuse_null(field, path)
        elif field.is_repeated:
            _fill_list(message, field, value, path)
        elif field.message_type is not None:
            _fill(_begin(message, field), _object(value, path), f"{path}.")
        else:
            setattr(message, name, _scalar(field, value, path))


def _fill_list(message: Message, field: FieldDescriptor, value: Any, path: str) -> None:
    if not isinstance(value, list):
        _refuse(path, value, "a list")

    target = getattr(message, field.name)

    for index, item in enumerate(value):
        place = f"{path}[{index}]"

        if field.message_type is not None:
            _fill(target.add(), _object(item, place), f"{place}.")
        else:
            target.append(_scalar(field, item, place))


def _begin(message: Message, field: FieldDescriptor) -> Message:
    inner: Message = getattr(message, field.name)
    inner.SetInParent()
    return inner


def _object(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        _refuse(path, value, "an object")

    return value


def _scalar(field: FieldDescriptor, value: Any, path: str) -> bool | float | int | str:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_BOOL:
            return value if isinstance(value, bool) else _refuse(path, value, "true or false")
        case FieldDescriptor.CPPTYPE_DOUBLE:
            return _double(value, path)
        case FieldDescriptor.CPPTYPE_INT32:
            return _int32(value, path)
        case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_STRING:
            decimal = rule_of(field).format == FORMAT_DECIMAL
            return _decimal(value, path) if decimal else _text(value, path)
        case _:
            raise TypeError(f"{field.full_name}: strict bodies have no fields of this type")


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

    if isinstance(value, _Number):
        return format(_exact(value, path), "f")

    number = decimal_of(value)
    return format(number, "f") if number is not None else _refuse(path, value, "a decimal number")


def _double(value: Any, path: str) -> float:
    """Takes a number that a double holds without loss: what is acted on is what was sent."""
    if not isinstance(value, _Number):
        _refuse(path, value, "a number")

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


def _refuse_null(field: FieldDescriptor, path: str) -> None:
    if not field.has_presence or rule_of(field).default:
        _refuse(path, None, "a value, or nothing at all")


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
