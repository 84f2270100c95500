"""Turns messages into JSON Schema, as they look over REST and to a model.

The two directions differ. What a client sends may leave out every field that is not required, and
may say null for it; what the server answers always has every field that knows no absence, because
the edge prints zeros and empty texts, and leaves out what is absent.
"""

from __future__ import annotations

__all__ = ["Direction", "Schema", "Schemas"]

import json
from collections.abc import Callable
from enum import Enum
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from tasty.v1.field_rule_pb2 import (
    FORMAT_DATE,
    FORMAT_DATE_TIME,
    FORMAT_DECIMAL,
    FieldRule,
)

from server.contract.catalog import Contract, is_required, rule_of
from server.contract.field_checks import pattern_of

Schema = dict[str, Any]

TIMESTAMP = "google.protobuf.Timestamp"
FORMATS = {
    FORMAT_DECIMAL: "decimal",
    FORMAT_DATE: "date",
    FORMAT_DATE_TIME: "date-time",
}


class Direction(Enum):
    """Who writes the JSON."""

    REQUEST = "request"
    RESPONSE = "response"


class Schemas:
    """Makes the schemas of one direction, with the comments of the contract as descriptions.

    `refer` says how a message inside another is shown: by a reference, or, where it is None, whole.
    `closed` closes objects against unknown names, as every body does; `strict` does that too, and
    takes null and decimals as the bodies of strict methods do.
    """

    def __init__(
        self,
        contract: Contract,
        direction: Direction,
        *,
        refer: Callable[[Descriptor], Schema] | None = None,
        strict: bool = False,
        closed: bool = False,
        nullable: bool = True,
    ) -> None:
        self._contract = contract
        self._request = direction is Direction.REQUEST
        self._refer = refer
        self._strict = strict
        self._closed = closed or strict
        self._nullable = nullable and self._request

    def message(self, message: Descriptor) -> Schema:
        """Describes a whole message."""
        return self.object_of(message, message.fields)

    def object_of(self, message: Descriptor, fields: Any) -> Schema:
        """Describes a message of which only some fields are in the JSON."""
        schema: Schema = {"type": "object"}

        if comment := self._contract.comment(message.full_name):
            schema["description"] = comment

        schema["properties"] = {field.name: self.field(field) for field in fields}

        if required := [field.name for field in fields if self._always_there(field)]:
            schema["required"] = required

        if self._closed:
            schema["additionalProperties"] = False

        return schema

    def field(self, field: FieldDescriptor) -> Schema:
        """Describes a field with its comment, rule and absence."""
        rule = rule_of(field)
        schema = self._value(field, rule)

        if comment := self._contract.comment(field.full_name):
            schema["description"] = comment

        if rule.default:
            schema["default"] = json.loads(rule.default)

        if rule.example:
            schema["examples"] = [json.loads(rule.example)]

        if self._nullable and self._may_be_null(field, rule):
            schema = _or_null(schema)

        return schema

    def item(self, field: FieldDescriptor) -> Schema:
        """Describes one element of a repeated field, or the value of a singular one."""
        return self._element(field, rule_of(field))

    def _value(self, field: FieldDescriptor, rule: FieldRule) -> Schema:
        if (entry := field.message_type) is not None and entry.GetOptions().map_entry:
            values = entry.fields_by_name["value"]
            return {"type": "object", "additionalProperties": self._element(values, rule)}

        if not field.is_repeated:
            return self._element(field, rule)

        schema: Schema = {"type": "array", "items": self._element(field, rule)}

        if rule.not_empty:
            schema["minItems"] = 1

        if self._request and rule.HasField("max_items"):
            schema["maxItems"] = rule.max_items

        return schema

    def _element(self, field: FieldDescriptor, rule: FieldRule) -> Schema:
        if field.message_type is not None:
            return self._inner(field.message_type)

        if field.enum_type is not None:
            return {"type": "string", "enum": [value.name for value in field.enum_type.values]}

        match field.cpp_type:
            case FieldDescriptor.CPPTYPE_BOOL:
                return {"type": "boolean"}
            case FieldDescriptor.CPPTYPE_INT32:
                return {"type": "integer", "format": "int32", **_bounds(rule)}
            case FieldDescriptor.CPPTYPE_DOUBLE:
                return {"type": "number", "format": "double", **_bounds(rule)}
            case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_STRING:
                return self._text(field, rule)
            case _:
                raise TypeError(f"{field.full_name}: the contract has no fields of this type")

    def _text(self, field: FieldDescriptor, rule: FieldRule) -> Schema:
        schema: Schema = {"type": "string"}

        if rule.format in FORMATS:
            schema["format"] = FORMATS[rule.format]

        if rule.values:
            schema["enum"] = list(rule.values)

        if rule.not_empty and not field.is_repeated:
            schema["minLength"] = 1

        if self._request:
            schema |= _bounds_of_text(rule)

            if self._strict and rule.format == FORMAT_DECIMAL:
                schema["type"] = ["string", "number"]

        return schema

    def _inner(self, message: Descriptor) -> Schema:
        if message.full_name == TIMESTAMP:
            return {"type": "string", "format": "date-time"}

        return self._refer(message) if self._refer else self.message(message)

    def _always_there(self, field: FieldDescriptor) -> bool:
        return is_required(field) if self._request else not field.has_presence

    def _may_be_null(self, field: FieldDescriptor, rule: FieldRule) -> bool:
        if self._strict:
            return field.has_presence and not rule.default and not is_required(field)

        return not is_required(field)


def _bounds_of_text(rule: FieldRule) -> Schema:
    """Returns what a text is held to; an enumeration needs no more."""
    if rule.values:
        return {}

    bounds: Schema = {}
    pattern, longest = pattern_of(rule)

    if longest is not None:
        bounds["maxLength"] = longest

    if pattern:
        bounds["pattern"] = f"^({pattern})$"

    return bounds


def _bounds(rule: FieldRule) -> Schema:
    bounds: Schema = {}

    if rule.HasField("minimum"):
        bounds["minimum"] = _number(rule.minimum)

    if rule.HasField("above"):
        bounds["exclusiveMinimum"] = _number(rule.above)

    if rule.HasField("maximum"):
        bounds["maximum"] = _number(rule.maximum)

    return bounds


def _number(value: float) -> float | int:
    return int(value) if value.is_integer() else value


def _or_null(schema: Schema) -> Schema:
    """Lets null through; an enum and a reference have to be opened for it in their own ways."""
    if "$ref" in schema:
        described = {key: value for key, value in schema.items() if key != "$ref"}
        return {"anyOf": [{"$ref": schema["$ref"]}, {"type": "null"}], **described}

    types = schema["type"]
    schema["type"] = [*(types if isinstance(types, list) else [types]), "null"]

    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]

    return schema
