"""How hard the searching tests look.

Without `TASTY_LONG` they take what finds most in the seconds that `make test` has, and of many
cases that are alike a part; with `TASTY_LONG=1` all cases, which `.ci/run` asks for; with a larger
number they go on for so many times as long, with new random input.
"""

from __future__ import annotations

__all__ = ["LONG", "for_ci", "one_in"]

import os
from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

import pytest

LONG = int(os.environ.get("TASTY_LONG") or 0)
"""0 in `make test`."""

for_ci = pytest.mark.skipif(
    not LONG, reason="takes seconds of a processor, so only with TASTY_LONG=1, as in .ci/run"
)
"""Marks a test of the whole thing under load, whose parts have tests that are always run."""

T = TypeVar("T")


def one_in(count: int, cases: Iterable[T], first: int = 0) -> list[T]:
    """Returns every `count`-th of many cases that are alike; all of them with `TASTY_LONG`.

    What CI runs is all: `.ci/run` looks for the test files that import this module.
    """
    return list(cases) if LONG else list(islice(cases, first % count, None, count))
