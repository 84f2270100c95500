"""The numbered cases: each a coroutine with a number and a title, listed in tests/cases.md."""

from __future__ import annotations

__all__ = ["CASES", "Case", "case"]

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.ordering import Trader

Play = Callable[[Trader], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Case:
    """One case."""

    number: int
    title: str
    play: Play
    trader: str
    """Who plays it; cases that need live quotes share one, since each tenant has its own feed."""


CASES: dict[int, Case] = {}


def case(number: int, title: str, *, trader: str = "") -> Callable[[Play], Play]:
    """Enters a coroutine under a number that nobody else has; `trader` shares an account."""

    def enter(play: Play) -> Play:
        assert number not in CASES, f"two cases have the number {number}"
        CASES[number] = Case(number, title, play, trader or f"case-{number}")
        return play

    return enter
