"""The shape of a JSON value: which keys there are, and which JSON types their values have."""

from __future__ import annotations

__all__ = ["differences", "shape_of"]

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Shape:
    """What has been seen at one place; of a list, what all of its items have together."""

    types: set[str] = field(default_factory=set)
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


def shape_of(value: Any) -> Shape:
    shape = Shape()
    shape.see(value)
    return shape


def differences(recorded: Shape, ours: Shape, path: str = "$") -> Iterator[str]:
    """Yields every key that we lack, and every value whose JSON type was never recorded there."""
    known = recorded.types - {"null"}
    if known and not ours.types - {"null"} <= known:
        yield f"{path}: {sorted(ours.types)}, recorded {sorted(recorded.types)}"

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
