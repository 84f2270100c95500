"""The SDK, imported without pandas, of which it uses nothing that we use.

`tastytrade.utils` imports pandas and a market calendar at its top, for helpers such as "the third
Friday of a month". They cost 1.7 s of CPU and 57 MiB in every process; without them the SDK takes
0.3 s and 2 MiB. So while it is imported, two empty modules stand in for them, and go again: whoever
imports pandas later gets the real one. A helper that needs the calendar says so when called.
"""

from __future__ import annotations

__all__ = ["Session"]

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import NoReturn


class _NoCalendar:
    """Stands where the SDK keeps its calendar."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"{name}: the SDK's calendar is not loaded here; ask the broker's market-time endpoints"
        )


@contextmanager
def _without_pandas() -> Iterator[None]:
    pandas = ModuleType("pandas")
    pandas.Timestamp = object  # type: ignore[attr-defined]  # a module made by hand has no names
    calendars = ModuleType("pandas_market_calendars")
    calendars.get_calendar = lambda _name: _NoCalendar()  # type: ignore[attr-defined]  # the same
    made = {module.__name__: module for module in (pandas, calendars)}
    # Real ones that are there already cost nothing more, and must stay.
    stood_in = {name: made[name] for name in made.keys() - sys.modules.keys()}
    sys.modules.update(stood_in)
    try:
        yield
    finally:
        for name, module in stood_in.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


with _without_pandas():
    from tastytrade import Session
