"""Rules of the contract that a value breaks, and the errors that they become.

A broken rule rises from the field through the messages around it, which is how its path is found;
only at the top does it become the error that the caller gets.
"""

from __future__ import annotations

__all__ = ["BrokenRule", "MissingValue", "NoSuchDay", "TooManyItems"]

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from server.contract.catalog import rule_of
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


class BrokenRule(Exception):
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


class MissingValue(BrokenRule):
    """An empty list or an empty text where there must be something."""

    def _error(self) -> BadInput:
        if self.field.is_repeated:
            return NothingGiven(self.field.name.removesuffix("s"))

        return super()._error()


class TooManyItems(BrokenRule):
    """More elements than a list may have."""

    def _error(self) -> BadInput:
        assert isinstance(self.value, int)  # noqa: S101 - set a few lines below
        most = rule_of(self.field).max_items
        noun = self.path.replace("_", " ")
        return TooManyGiven(noun, given=self.value, allowed=most)


class NoSuchDay(BrokenRule):
    """A text that is no day of the calendar."""

    def _error(self) -> BadInput:
        return InvalidDate(str(self.value), self.path)


def _option_type(broken: BrokenRule) -> BadInput:
    return InvalidOptionType(str(broken.value))


def _strike(broken: BrokenRule) -> BadInput | None:
    below = isinstance(broken.value, float) and not broken.value > 0
    return InvalidStrike(broken.value) if below else None


def _api_key(_broken: BrokenRule) -> BadInput:
    return WeakApiKey(minimum=8, maximum=128)


def _message(broken: BrokenRule) -> BadInput | None:
    return NothingGiven("message") if isinstance(broken, MissingValue) else None


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
