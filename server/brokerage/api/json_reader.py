"""Reads one JSON object of the broker value by value, so that one odd value costs only itself.

The SDK's models refuse a whole list for one unknown order status or one missing market cap
(their enums are closed and their fields required), so replies are read from the raw JSON: a value
that is absent or cannot be read is None, an item without its identity is left out, and both are
counted. Words that may grow (statuses, actions, types) stay the broker's own text.
"""

from __future__ import annotations

__all__ = [
    "JsonReader",
    "Listing",
    "ParseFaults",
    "Unreadable",
    "items_of",
    "read_all",
    "read_listing",
]

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Generic, TypeVar

import structlog

from server.clock import instant_of
from server.errors import BrokerUnreadable

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Unreadable(Exception):
    """Raised for an item without its identity; whoever reads the list leaves it out."""


class ParseFaults:
    """Counts the values that could not be read, by where they stood."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, where: str, value: object) -> None:
        """Counts one, and logs the first of its kind (the type only: a value may be private)."""
        self.counts[where] += 1
        if self.counts[where] == 1:
            log.warning("unreadable value", where=where, type=type(value).__name__)

    @property
    def total(self) -> int:
        return self.counts.total()


class JsonReader:
    """Reads one object; names are the broker's, with dashes (camelCase is found as well)."""

    __slots__ = ("_faults", "_noun", "raw")

    def __init__(self, raw: object, faults: ParseFaults, noun: str = "answer") -> None:
        if not isinstance(raw, dict):
            faults.add(noun, raw)
            raise Unreadable(noun)

        self.raw: dict[str, Any] = raw
        self._faults = faults
        self._noun = noun

    def identity(self, name: str) -> str:
        """Returns a text that the item cannot be without; raises Unreadable if it is."""
        value = self.text(name)
        if not value:
            self._faults.add(f"{self._noun}.{name}", None)
            raise Unreadable(name)

        return value

    def text(self, name: str) -> str | None:
        """Returns the value as text; numbers (ids) become their digits."""
        value = self._find(name)
        if value is None or isinstance(value, str):
            return value

        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)

        self.odd(name, value)
        return None

    def decimal(self, name: str) -> Decimal | None:
        """Returns the exact number; "NaN" and infinities are absent, as the broker means them."""
        value = self._find(name)
        if value is None or value == "":
            return None

        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            self.odd(name, value)
            return None

        try:
            # The repr of a float is its shortest exact spelling: 0.1 gives Decimal("0.1").
            number = Decimal(repr(value) if isinstance(value, float) else value)
        except InvalidOperation:
            self.odd(name, value)
            return None

        return number if number.is_finite() else None

    def signed(self, name: str) -> Decimal | None:
        """Returns a number whose sign the broker keeps in `<name>-effect`: a debit is negative."""
        number = self.decimal(name)
        if number is None:
            return None

        effect = self._find(f"{name}-effect")
        if effect == "Debit":
            return -abs(number)

        return abs(number) if effect == "Credit" else number

    def integer(self, name: str) -> int | None:
        """Returns a whole number; a fraction counts as unreadable."""
        number = self.decimal(name)
        if number is None:
            return None

        if number != int(number):
            self.odd(name, number)
            return None

        return int(number)

    def flag(self, name: str) -> bool | None:
        """Returns true or false, also where the broker writes the words."""
        value = self._find(name)
        if value is None or isinstance(value, bool):
            return value

        words = {"true": True, "false": False}
        if isinstance(value, str) and value.lower() in words:
            return words[value.lower()]

        self.odd(name, value)
        return None

    def day(self, name: str) -> date | None:
        """Returns a date, also from the beginning of a date-time."""
        value = self._find(name)
        if value is None or value == "":
            return None

        try:
            return date.fromisoformat(value[:10])
        except (TypeError, ValueError):
            self.odd(name, value)
            return None

    def days(self, name: str) -> tuple[date, ...]:
        """Returns the dates in the list under `name`."""
        value = self._find(name)
        if not isinstance(value, list):
            if value is not None:
                self.odd(name, value)

            return ()

        found = (JsonReader({name: each}, self._faults, self._noun).day(name) for each in value)
        return tuple(day for day in found if day is not None)

    def moment(self, name: str) -> datetime | None:
        """Returns an aware instant, from ISO text or (orders' `updated-at`) epoch milliseconds."""
        value = self._find(name)
        if value is None or value in ("", 0, "0"):
            return None

        if isinstance(value, int):
            instant = instant_of(value)
            if instant is None:
                self.odd(name, value)

            return instant

        try:
            instant = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            self.odd(name, value)
            return None

        return instant if instant.tzinfo else instant.replace(tzinfo=UTC)

    def item(self, name: str) -> JsonReader | None:
        """Returns the object under `name`."""
        value = self._find(name)
        if value is None:
            return None

        if not isinstance(value, dict):
            self.odd(name, value)
            return None

        return JsonReader(value, self._faults, f"{self._noun}.{name}")

    def items(self, name: str, read: Callable[[JsonReader], T]) -> tuple[T, ...]:
        """Returns what `read` makes of each object in the list under `name`."""
        value = self._find(name)
        if value is None:
            return ()

        if not isinstance(value, list):
            self.odd(name, value)
            return ()

        return read_all(value, read, self._faults, f"{self._noun}.{name}")

    def _find(self, name: str) -> Any:
        value = self.raw.get(name)
        return self.raw.get(_camel(name)) if value is None else value

    def odd(self, name: str, value: object) -> None:
        """Counts a value that cannot be read."""
        self._faults.add(f"{self._noun}.{name}", value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[T]):
    """What could be read of a list."""

    items: tuple[T, ...]
    skipped: int
    """Items of the broker that were left out, for lack of what they are known by."""


def read_listing(
    raw: Sequence[object], read: Callable[[JsonReader], T], faults: ParseFaults, noun: str
) -> Listing[T]:
    """Returns what `read` makes of each, and how many were left out."""
    items = read_all(raw, read, faults, noun)
    return Listing(items=items, skipped=len(raw) - len(items))


def read_all(
    raw: Iterable[object], read: Callable[[JsonReader], T], faults: ParseFaults, noun: str
) -> tuple[T, ...]:
    """Returns what `read` makes of each; an item without its identity is left out."""
    values = []
    for each in raw:
        try:
            values.append(read(JsonReader(each, faults, noun)))
        except Unreadable:
            continue

    return tuple(values)


def items_of(data: object) -> list[Any]:
    """Returns the list of a `data` object; the broker leaves it out where it is empty."""
    if isinstance(data, dict):
        data = data.get("items", [])

    if not isinstance(data, list):
        raise BrokerUnreadable("a list without items")

    return data


@lru_cache(maxsize=512)
def _camel(name: str) -> str:
    first, *rest = name.split("-")
    return first + "".join(word.capitalize() for word in rest)
