"""What a bench prints: a measured figure, what it is held against, and how it was made."""

from __future__ import annotations

__all__ = ["Figure", "show"]

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the result."""

    measure: str
    value: str
    target: str
    met: bool | None
    """None: nothing was promised, the figure is there to be known."""
    how: str = ""


def show(title: str, figures: Iterable[Figure]) -> bool:
    """Prints a table and returns whether every target was met."""
    lines = list(figures)
    width = max(len(line.measure) for line in lines)
    value = max(len(line.value) for line in lines)
    print(f"\n{title}")
    for line in lines:
        mark = {True: "met   ", False: "MISSED", None: "      "}[line.met]
        print(f"  {line.measure:<{width}}  {line.value:>{value}}  {mark}  {line.target}")
        if line.how:
            print(f"  {'':<{width}}  {'':>{value}}          {line.how}")
    return all(line.met is not False for line in lines)
