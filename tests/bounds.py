"""Every field of every request with its bounds, and requests that are right but for one of them.

Made from the descriptors alone, so a new field is tried without anybody thinking of it.
"""

from __future__ import annotations

__all__ = ["PLACES", "TEXTS", "Place", "places", "request_with", "request_with_list", "text_of"]

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from tasty.v1.field_rule_pb2 import FORMAT_DATE, FORMAT_DECIMAL

from server.contract.catalog import Method, is_required, load, rule_of
from server.contract.field_checks import pattern_of

LETTERS = ("7", "A")
"""Of one of them a text of any length can be made for each pattern that allows any length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One field of a request, at any depth."""

    method: Method
    path: tuple[FieldDescriptor, ...]

    @property
    def field(self) -> FieldDescriptor:
        return self.path[-1]

    @property
    def name(self) -> str:
        """The path as an error tells it, without the field that is the body of a REST route."""
        steps = [f"{each.name}[0]" if each.is_repeated else each.name for each in self.path]
        if len(steps) > 1 and not self.path[0].is_repeated:
            steps = steps[1:]
        return ".".join(steps)

    def __str__(self) -> str:
        return f"{self.method.name}-{self.name}"


def places(method: Method) -> list[Place]:
    """Returns the fields of a request, those of its messages included."""
    return [Place(method=method, path=path) for path in _paths(method.request, ())]


def request_with(place: Place, value: Any) -> Message:
    """Returns a request that is right but perhaps for `value` in its place."""
    request, here = _request_to(place)
    if place.field.is_repeated:
        del getattr(here, place.field.name)[:]
        getattr(here, place.field.name).append(value)
    else:
        setattr(here, place.field.name, value)
    return request


def request_with_list(place: Place, count: int) -> Message:
    """Returns a request that is right but perhaps for the number of elements in its place."""
    request, here = _request_to(place)
    elements = getattr(here, place.field.name)
    del elements[:]
    if place.field.message_type is not None:
        _fill(elements.add())
    else:
        elements.append(_sound(place.field))
    elements.extend([elements[0]] * (count - 1))
    return request


def text_of(field: FieldDescriptor, length: int) -> str | None:
    """Returns a text of that length that the field's pattern allows, or None."""
    if rule_of(field).format == FORMAT_DECIMAL:
        return f"-0.{'7' * length}"[:length]

    pattern, _ = pattern_of(rule_of(field))
    made = [letter * length for letter in LETTERS]
    return next((text for text in made if re.fullmatch(pattern or ".*", text)), None)


def _request_to(place: Place) -> tuple[Message, Any]:
    """Returns a request that is right, and the message in it that has the field."""
    request: Message = GetMessageClass(place.method.request)()
    _fill(request)
    here: Any = request
    for field in place.path[:-1]:
        inner = getattr(here, field.name)
        if field.is_repeated:
            here = inner[0] if len(inner) else inner.add()
        else:
            inner.SetInParent()
            here = inner
        _fill(here)

    return request, here


def _paths(message: Descriptor, before: tuple[FieldDescriptor, ...]) -> Iterator[Any]:
    for field in message.fields:
        path = (*before, field)
        yield path
        if field.message_type is not None:
            yield from _paths(field.message_type, path)


def _fill(message: Message) -> None:
    """Gives a message all that it needs."""
    for field in message.DESCRIPTOR.fields:
        rule = rule_of(field)
        needed = is_required(field) or rule.not_empty
        there = (
            len(getattr(message, field.name))
            if field.is_repeated
            else (field.has_presence and message.HasField(field.name))
        )
        if not needed or there:
            continue

        if field.message_type is not None:
            inner = getattr(message, field.name)
            if not field.is_repeated:
                inner.SetInParent()
            _fill(inner.add() if field.is_repeated else inner)
        elif field.is_repeated:
            getattr(message, field.name).append(_sound(field))
        else:
            setattr(message, field.name, _sound(field))


def _sound(field: FieldDescriptor) -> Any:
    rule = rule_of(field)
    if field.cpp_type != FieldDescriptor.CPPTYPE_STRING:
        return 1
    if rule.values:
        return rule.values[0]
    if rule.format == FORMAT_DATE:
        return "2026-12-18"
    if rule.format == FORMAT_DECIMAL:
        return "1.00"
    return text_of(field, 1) or text_of(field, 8)


PLACES = [place for method in load().methods for place in places(method)]
TEXTS = [
    place
    for place in PLACES
    if place.field.cpp_type == FieldDescriptor.CPPTYPE_STRING and not rule_of(place.field).values
]
"""The texts that are not one of a few words."""
