"""Reads any spelling of an instrument, and turns OCC option symbols into dxFeed's and back.

The SDK's own converter is wrong for strikes below a dime's precision and for adjusted roots
(`.XYZ250117C12.05` becomes strike 12.50: another contract), so it is not used. A strike is a
`Decimal` all the way: a float would make 12.35 into something that equals no listed strike.

What cannot be known from the spelling is not guessed: the dxFeed name of a future or of a coin
(`/ESZ26:XCME`, `BTC/USD:CXTALP`) has the exchange in it, so `streamer_symbol` is None until the
broker's instruments endpoints are asked.
"""

from __future__ import annotations

__all__ = [
    "INDEXES",
    "Instrument",
    "InstrumentKind",
    "occ_symbol",
    "occ_to_streamer",
    "parse",
    "streamer_option_symbol",
    "streamer_to_occ",
]

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from server.errors import InvalidField

INDEXES = frozenset(
    {
        *("SPX", "XSP", "NDX", "XND", "NQX", "RUT", "MRUT", "DJX", "OEX", "XEO"),
        *("VIX", "VXN", "RVX", "VIN", "VIF", "TNX", "MXEF", "MXEA"),
    }
)
"""Cash indexes: spelled like a share, but quoted, charged and settled otherwise."""

LONGEST = 64
OCC_ROOT = 6
OCC_TAIL = 15
"""Date (6), C or P (1), strike times a thousand (8)."""

EXPECTED = (
    "a ticker (SPY, BRK/B), an option (SPY   251219P00685000 or .SPY251219P685), "
    "a future (/ESZ5), a future option (./ESZ5 E1AZ5 251205C6000) or a coin (BTC/USD)"
)

_OCC = re.compile(r"([A-Z0-9]{1,6}) *([0-9]{6})([CP])([0-9]{8})")
_STREAMER_OPTION = re.compile(r"\.([A-Z0-9]{1,6}?)([0-9]{6})([CP])([0-9]{1,5})(?:\.([0-9]{1,3}))?")
_PRODUCT = re.compile(r"[FGHJKMNQUVXZ][0-9]{1,2}(:[A-Z0-9]+)?$")
_EQUITY = re.compile(r"[A-Z][A-Z0-9]{0,7}([/.][A-Z]{1,2})?")


class InstrumentKind(StrEnum):
    """What an instrument is, in the broker's own words."""

    EQUITY = "Equity"
    INDEX = "Index"
    EQUITY_OPTION = "Equity Option"
    FUTURE = "Future"
    FUTURE_OPTION = "Future Option"
    CRYPTOCURRENCY = "Cryptocurrency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One thing that can be quoted, as far as its spelling tells."""

    kind: InstrumentKind
    symbol: str
    """The broker's spelling; of an equity option the OCC form, root padded to six."""
    streamer_symbol: str | None
    """dxFeed's spelling; None where only the broker's instruments endpoints know it."""
    root: str
    """Of an option its root (adjusted contracts differ from the ticker), of a future its product
    (`/ES`), else the symbol."""
    expiration: date | None = None
    option_type: str | None = None
    """`C` or `P`, of an equity option."""
    strike: Decimal | None = None

    @property
    def is_option(self) -> bool:
        return self.kind in (InstrumentKind.EQUITY_OPTION, InstrumentKind.FUTURE_OPTION)


_UNDATED = (
    (InstrumentKind.FUTURE, re.compile(r"/[A-Z0-9]{1,6}[FGHJKMNQUVXZ][0-9]{1,2}"), False),
    (InstrumentKind.FUTURE, re.compile(r"/[A-Z0-9]{1,6}[FGHJKMNQUVXZ][0-9]{2}:[A-Z0-9]+"), True),
    (
        InstrumentKind.FUTURE_OPTION,
        re.compile(r"\./[A-Z0-9]{2,8} *[A-Z0-9]{2,8} *[0-9]{6}[CP][0-9]+(?:\.[0-9]+)?"),
        False,
    ),
    (
        InstrumentKind.FUTURE_OPTION,
        re.compile(r"\./[A-Z0-9]{2,12}[CP][0-9]+(?:\.[0-9]+)?:[A-Z0-9]+"),
        True,
    ),
    (InstrumentKind.CRYPTOCURRENCY, re.compile(r"[A-Z0-9]{2,10}/[A-Z]{3,4}"), False),
    (InstrumentKind.CRYPTOCURRENCY, re.compile(r"[A-Z0-9]{2,10}/[A-Z]{3,4}:[A-Z0-9]+"), True),
)
"""Spellings without a date of their own: kind, pattern, and whether it is dxFeed's already."""


def parse(text: str, *, field: str = "symbol") -> Instrument:
    """Returns the instrument that `text` spells; lower case and lost OCC padding are forgiven.

    Raises InvalidField, naming `field`, for anything else. Letters and digits of ASCII only: other
    scripts have some that look alike, and some whose capitals are those of ASCII.
    """
    given = text.strip().upper() if text.isascii() else ""
    found = _read(given) if 0 < len(given) <= LONGEST else None
    if found is None:
        raise InvalidField(field, text, EXPECTED)

    return found


@lru_cache(maxsize=1 << 12)
def _read(given: str) -> Instrument | None:
    """Clients ask for the same instruments again and again, by any of their spellings."""
    if option := _OCC.fullmatch(given):
        root, day, option_type, thousandths = option.groups()
        return _option(root, day, option_type, Decimal(thousandths) / 1000)

    if option := _STREAMER_OPTION.fullmatch(given):
        root, day, option_type, whole, fraction = option.groups()
        return _option(root, day, option_type, Decimal(f"{whole}.{fraction or 0}"))

    if share_class := _EQUITY.fullmatch(given):
        symbol = given.replace(".", "/") if share_class.group(1) else given
        kind = InstrumentKind.INDEX if symbol in INDEXES else InstrumentKind.EQUITY
        return Instrument(kind=kind, symbol=symbol, streamer_symbol=symbol, root=symbol)

    for kind, spelling, is_streamer in _UNDATED:
        if spelling.fullmatch(given):
            streamer = given if is_streamer else None
            root = _PRODUCT.sub("", given) if kind is InstrumentKind.FUTURE else given
            return Instrument(kind=kind, symbol=given, streamer_symbol=streamer, root=root)

    return None


def occ_symbol(root: str, expiration: date, option_type: str, strike: Decimal) -> str:
    """Returns the OCC form; raises ValueError for a strike that has none (over three decimals)."""
    thousandths = strike * 1000
    if thousandths != int(thousandths) or not 0 < thousandths < 100_000_000:
        raise ValueError(f"no OCC form for strike {strike}")

    return f"{root:<{OCC_ROOT}}{expiration:%y%m%d}{option_type}{int(thousandths):08d}"


def streamer_option_symbol(root: str, expiration: date, option_type: str, strike: Decimal) -> str:
    """Returns dxFeed's form, whose strike has neither padding nor trailing zeros."""
    shown = f"{strike:f}"
    if "." in shown:
        shown = shown.rstrip("0").rstrip(".")

    return f".{root}{expiration:%y%m%d}{option_type}{shown}"


def occ_to_streamer(symbol: str) -> str | None:
    """Returns dxFeed's form of an OCC symbol, or None for a text that is none."""
    option = _OCC.fullmatch(symbol)
    if option is None:
        return None

    root, day, option_type, thousandths = option.groups()
    expiration = _day(day)
    if expiration is None or int(thousandths) == 0:
        return None

    return streamer_option_symbol(root, expiration, option_type, Decimal(thousandths) / 1000)


def streamer_to_occ(symbol: str) -> str | None:
    """Returns the OCC form of dxFeed's option symbol, or None for a text that is none."""
    option = _STREAMER_OPTION.fullmatch(symbol)
    if option is None:
        return None

    root, day, option_type, whole, fraction = option.groups()
    expiration = _day(day)
    strike = Decimal(f"{whole}.{fraction or 0}")
    if expiration is None or strike == 0:
        return None

    return occ_symbol(root, expiration, option_type, strike)


def _option(root: str, day: str, option_type: str, strike: Decimal) -> Instrument | None:
    expiration = _day(day)
    if expiration is None or strike == 0:
        return None

    return Instrument(
        kind=InstrumentKind.EQUITY_OPTION,
        symbol=occ_symbol(root, expiration, option_type, strike),
        streamer_symbol=streamer_option_symbol(root, expiration, option_type, strike),
        root=root,
        expiration=expiration,
        option_type=option_type,
        strike=strike,
    )


def _day(digits: str) -> date | None:
    try:
        return date(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        return None
