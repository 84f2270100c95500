"""Wrong values for a field, made from what the contract says of it: type, range, set, form."""

from __future__ import annotations

__all__ = ["ODD_TEXTS", "certainly_wrong", "wrong_json"]

import json
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from tasty.v1.field_rule_pb2 import FORMAT_DATE, FORMAT_DATE_TIME, FORMAT_DECIMAL

from server.contract.catalog import rule_of

ODD_TEXTS = (
    "",
    " ",
    "tech/stocks",
    "../../etc/passwd",
    "naïve 100%",
    "日本株 🚀",
    "%2F%00",
    "a\tb\nc",
    "\x00",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "${jndi:ldap://x}",
    "null",
    "\u202ereversed",
    "x" * 5000,
)
"""Texts that have broken something somewhere. What becomes of them is up to the field; only that it
is documented, and no fault of the server, is asked for."""

# Envoy reads some of these, as C does; all of them: tests/rest/spellings.py.
NOT_NUMBERS = ("abc", "", " ", "1,5", "--1", "1e999", "true", "[1]", "５", "0x10", "+1", "1\n")
NOT_WHOLE = (*NOT_NUMBERS, "1.5", "99999999999999999999", "NaN", "-Infinity")
NOT_BOOLS = ("", "maybe", "2", "yes!", "[true]")
NOT_DATES = ("", "soon", "12/19/2025", "2025-02-30", "2025-13-01", "20251219x", "2025-12-19T00")
NOT_DECIMALS = (
    "",
    "abc",
    "1,5",
    "NaN",
    "Infinity",
    "1.2.3",
    "0x10",
    "-1_1",
    "-1e1",
    "-1.14\n",
    "٣",
)


def certainly_wrong(field: FieldDescriptor) -> list[str]:
    """Returns texts for a query parameter that can only be answered with 400."""
    rule = rule_of(field)
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_BOOL:
            return list(NOT_BOOLS)
        case FieldDescriptor.CPPTYPE_INT32:
            return [*NOT_WHOLE, *_out_of_range(rule, step=1)]
        case FieldDescriptor.CPPTYPE_DOUBLE:
            return [*NOT_NUMBERS, *_out_of_range(rule, step=0.5), "NaN"]
    if rule.values:
        return ["nonsense", "", rule.values[0] + " ", rule.values[0].swapcase()]
    if rule.format == FORMAT_DATE:
        return list(NOT_DATES[1:])
    if rule.format == FORMAT_DATE_TIME:
        return list(NOT_DATES[1:])
    if rule.format == FORMAT_DECIMAL:
        return list(NOT_DECIMALS)
    return []


def wrong_json(field: FieldDescriptor) -> list[Any]:
    """Returns JSON values for a field of a body, all of another type than it has."""
    others: dict[str, Any] = {"list": [1], "object": {"a": {}}, "bool": True, "text": "abc"}
    others["number"] = 12.5
    own = {
        FieldDescriptor.CPPTYPE_BOOL: ("bool",),
        FieldDescriptor.CPPTYPE_INT32: (),
        FieldDescriptor.CPPTYPE_DOUBLE: ("number",),
        FieldDescriptor.CPPTYPE_STRING: ("text",),
        FieldDescriptor.CPPTYPE_MESSAGE: ("object",),
    }[field.cpp_type]
    if rule_of(field).format == FORMAT_DECIMAL:
        own = ("number",)
    if field.is_repeated:
        own = ("list",)
    return [json.loads(json.dumps(value)) for kind, value in others.items() if kind not in own]


def _out_of_range(rule: Any, *, step: float) -> list[str]:
    found = []
    if rule.HasField("minimum"):
        found += [f"{rule.minimum - step:g}", "-1000000"]
    if rule.HasField("above"):
        found += [f"{rule.above:g}", "-1000000"]
    if rule.HasField("maximum"):
        found += [f"{rule.maximum + step:g}", "1000000000"]
    return found
