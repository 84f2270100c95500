"""Reads the reasons of errors with their samples out of the comments of `ErrorReason`.

The number of a reason is its HTTP status times 100 and a count, so the status needs no table here.
"""

from __future__ import annotations

__all__ = ["ErrorSample", "samples"]

from dataclasses import dataclass

from server.contract.catalog import PACKAGE, Contract

MARK = "Sample: "


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorSample:
    """One value of `ErrorReason`."""

    reason: str
    status: int
    """The HTTP status that it has over REST."""

    meaning: str
    sentence: str
    """A sentence as clients get it; "" if the comment shows none."""


def samples(contract: Contract) -> tuple[ErrorSample, ...]:
    """Answers every reason but the unspecified one, by number."""
    enums = [enum for file in contract.files.file for enum in file.enum_type]
    reasons = next(enum for enum in enums if enum.name == "ErrorReason")
    return tuple(
        _sample(contract, value.name, value.number)
        for value in sorted(reasons.value, key=lambda value: value.number)
        if value.number != 0
    )


def _sample(contract: Contract, name: str, number: int) -> ErrorSample:
    comment = contract.comment(f"{PACKAGE}.ErrorReason.{name}")
    meaning, _, sentence = comment.partition(f"\n\n{MARK}")
    return ErrorSample(
        reason=name, status=number // 100, meaning=meaning, sentence=sentence.replace("\n\n", " ")
    )
