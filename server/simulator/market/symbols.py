"""Parses and formats the option symbols of the broker and of dxLink.

A strike is parsed from its whole text, never as thousandths appended to a dot: `.F261218C12.05` and
`.F261218C12.5` are two contracts.
"""

from __future__ import annotations

__all__ = ["OptionSymbol", "format_occ", "format_streamer", "parse_future_option", "parse_option"]

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal, cast

from server.simulator.market.strikes import format_strike

_OCC = re.compile(r"([A-Z0-9]{1,6}) *(\d\d)(\d\d)(\d\d)([CP])(\d{8})")
_STREAMER = re.compile(r"\.([A-Z]+)(\d\d)(\d\d)(\d\d)([CP])(\d{1,6}(?:\.\d{1,3})?)")
_FUTURE = re.compile(
    r"\./([A-Z0-9]+) +([A-Z0-9]+) +(\d\d)(\d\d)(\d\d)([CP])(\d{1,6}(?:\.\d{1,4})?)"
)
_FUTURE_STREAMER = re.compile(
    r"\./([A-Z0-9]+)([FGHJKMNQUVXZ])(\d\d)([CP])(\d{1,6}(?:\.\d{1,4})?):([A-Z]+)"
)

OptionType = Literal["C", "P"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionSymbol:
    """Holds the parts of an option's symbol."""

    root: str
    """`SPXW`; for an option on a future, its contract code `EW3U6`."""

    day: date | None
    """None for dxLink's symbols of options on futures, where the contract code implies it."""

    option_type: OptionType
    strike: float
    future: str = ""
    """`/ESZ6`, if the symbol has it."""


def parse_option(symbol: str) -> OptionSymbol | None:
    """Parses an option on a stock or an index, in the OCC's or dxLink's form."""
    if symbol.startswith("."):
        match, scale = _STREAMER.fullmatch(symbol), 1
    else:
        match, scale = _OCC.fullmatch(symbol), 1000

    if match is None or (scale == 1000 and len(symbol) != 21):
        return None

    day = _parse_day(match[2], match[3], match[4])
    if day is None:
        return None

    return OptionSymbol(
        root=match[1],
        day=day,
        option_type=cast("OptionType", match[5]),
        strike=float(match[6]) / scale,
    )


def parse_future_option(symbol: str) -> OptionSymbol | None:
    """Parses an option on a future, in the broker's or dxLink's form."""
    if match := _FUTURE_STREAMER.fullmatch(symbol):
        return OptionSymbol(
            root=f"{match[1]}{match[2]}{match[3][1]}",
            day=None,
            option_type=cast("OptionType", match[4]),
            strike=float(match[5]),
        )

    match = _FUTURE.fullmatch(symbol)
    day = _parse_day(match[3], match[4], match[5]) if match else None
    if match is None or day is None:
        return None

    return OptionSymbol(
        root=match[2],
        day=day,
        option_type=cast("OptionType", match[6]),
        strike=float(match[7]),
        future=f"/{match[1]}",
    )


def format_occ(root: str, day: date, kind: str, strike: float) -> str:
    """Formats an option's symbol as the Options Clearing Corporation does: 21 characters."""
    return f"{root:<6}{day:%y%m%d}{kind}{round(strike * 1000):08d}"


def format_streamer(root: str, day: date, kind: str, strike: float) -> str:
    """Formats an option's symbol as dxLink does."""
    return f".{root}{day:%y%m%d}{kind}{format_strike(strike)}"


def _parse_day(year: str, month: str, day: str) -> date | None:
    try:
        return date(2000 + int(year), int(month), int(day))
    except ValueError:
        return None
