"""The shape of a JSON value: which keys there are, and which types and forms their values have.

A form is more than a type: a decimal in a string, a date, an instant with an offset and one with a
Z are different forms of text.
"""

from __future__ import annotations

__all__ = ["differences", "shape_of"]

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

FORMS = (
    ("instant with offset", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00"),
    ("instant with Z", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    ("date", r"\d{4}-\d\d-\d\d"),
    ("decimal", r"-?\d+\.\d+"),
    ("option", r"[A-Z]{1,6} *\d{6}[CP]\d{8}"),
    ("streamer option", r"\.[A-Z]+\d{6}[CP]\d+(\.\d+)?"),
    ("future option", r"\./[A-Z0-9]+ [A-Z0-9 ]{6}\d{6}[CP]\d+(\.\d+)?"),
    ("streamer future option", r"\./[A-Z0-9]+\d\d[CP]\d+(\.\d+)?:[A-Z]+"),
    ("streamer future", r"/[A-Z0-9]+[A-Z]\d\d:[A-Z]+"),
    ("future", r"/[A-Z0-9]+[A-Z]\d"),
    ("product", r"/[A-Z0-9]+"),
)
PATTERNS = tuple((name, re.compile(pattern)) for name, pattern in FORMS)

FREE = re.compile(r"\.(last-trade-time|security-id|clearing-code|description|exchange-symbol)$")
"""Names of things: text in one place, and like a date or a number in another."""


@dataclass
class Shape:
    """What has been seen at one place; of a list, what all of its items have together."""

    types: set[str] = field(default_factory=set)
    forms: set[str] = field(default_factory=set)
    keys: dict[str, Shape] = field(default_factory=dict)
    items: Shape | None = None

    def see(self, value: Any) -> None:
        self.types.add(_type(value))
        if isinstance(value, dict):
            for key, inner in value.items():
                self.keys.setdefault(key, Shape()).see(inner)
        elif isinstance(value, list):
            self.items = self.items or Shape()
            for inner in value:
                self.items.see(inner)
        elif isinstance(value, str):
            self.forms.add(_form(value))


def shape_of(value: Any) -> Shape:
    shape = Shape()
    shape.see(value)
    return shape


def differences(recorded: Shape, ours: Shape, path: str = "$") -> Iterator[str]:
    """Yields every key that we lack, and every value of another type or form than was recorded.

    A type that was never recorded there is a difference; of the forms of texts, some must agree.
    """
    known = recorded.types - {"null"}
    if known and not ours.types - {"null"} <= known:
        yield f"{path}: {sorted(ours.types)}, recorded {sorted(recorded.types)}"

    if recorded.forms and ours.forms and not recorded.forms & ours.forms and not FREE.search(path):
        yield f"{path}: {sorted(ours.forms)}, recorded {sorted(recorded.forms)}"

    for key, inner in recorded.keys.items():
        if key in ours.keys:
            yield from differences(inner, ours.keys[key], f"{path}.{key}")
        else:
            yield f"{path}.{key}: missing"

    if recorded.items is not None and ours.items is not None and ours.items.types:
        yield from differences(recorded.items, ours.items, f"{path}[]")
    elif recorded.items is not None and recorded.items.types:
        yield f"{path}[]: empty"


def _type(value: Any) -> str:
    if value is None:
        return "null"

    # A whole number and one with decimals are told apart: typed clients do, too.
    return {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}.get(
        type(value), "object"
    )


def _form(text: str) -> str:
    return next((name for name, pattern in PATTERNS if pattern.fullmatch(text)), "text")
