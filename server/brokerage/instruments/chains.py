"""The option chain of an underlying: every contract, found by expiration, strike and type.

Two roots may expire on one day (SPX settles in the morning, SPXW in the evening), so a strike and
a type do not name one contract. Where the caller does not say which, the one that settles in the
evening is meant, as on the broker's own screens.
"""

from __future__ import annotations

__all__ = ["ChainFilter", "OptionChain", "OptionContract", "TickSize", "read_chain"]

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Any

from server.brokerage.api.json_reader import JsonReader, Unreadable
from server.brokerage.instruments.symbols import occ_to_streamer
from server.errors import NoOptions, OptionNotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionContract:
    """One contract."""

    symbol: str
    """OCC form; of an option on a future the broker's own."""
    streamer_symbol: str
    """Empty where the broker streams none."""
    option_type: str
    strike: Decimal
    expiration: date
    root_symbol: str
    settlement_type: str
    """`AM` or `PM`; of an option on a future `Future`."""
    expiration_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TickSize:
    """The smallest step of a price: below `threshold`, or everywhere above where it is None."""

    value: Decimal
    threshold: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFilter:
    """What part of a chain is wanted; None is no limit."""

    expiration: date | None = None
    min_dte: int | None = None
    max_dte: int | None = None
    option_type: str | None = None
    min_strike: Decimal | None = None
    max_strike: Decimal | None = None

    def passes(self, contract: OptionContract, today: date) -> bool:
        """Whether a contract is wanted."""
        days = (contract.expiration - today).days
        return (
            (self.expiration is None or contract.expiration == self.expiration)
            and (self.min_dte is None or days >= self.min_dte)
            and (self.max_dte is None or days <= self.max_dte)
            and (self.option_type is None or contract.option_type == self.option_type)
            and (self.min_strike is None or contract.strike >= self.min_strike)
            and (self.max_strike is None or contract.strike <= self.max_strike)
        )


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True, eq=False)
class OptionChain:
    """The contracts of one underlying, as they were listed on one day in New York."""

    symbol: str
    today: date
    contracts: tuple[OptionContract, ...]
    """By expiration, strike and type, those that settle in the evening first."""
    tick_sizes: tuple[TickSize, ...] = ()
    _by_key: dict[tuple[date, Decimal, str], OptionContract] = field(
        default_factory=dict, repr=False
    )

    @property
    def expirations(self) -> tuple[date, ...]:
        """The days of expiration, ascending."""
        return tuple(dict.fromkeys(contract.expiration for contract in self.contracts))

    def find(self, expiration: date, strike: Decimal, option_type: str) -> OptionContract:
        """Returns the contract; raises NoOptions or OptionNotFound with what there is."""
        if not self._by_key:
            for contract in reversed(self.contracts):
                key = (contract.expiration, contract.strike, contract.option_type)
                self._by_key[key] = contract

        found = self._by_key.get((expiration, strike, option_type))
        if found is not None:
            return found

        of_day = [each for each in self.contracts if each.expiration == expiration]
        if not of_day:
            raise NoOptions(self.symbol, str(expiration), [str(each) for each in self.expirations])

        strikes = sorted({each.strike for each in of_day if each.option_type == option_type})
        nearest = sorted(strikes, key=lambda each: abs(each - strike))[:20]
        raise OptionNotFound(
            self.symbol,
            str(expiration),
            option_type,
            f"{strike:f}",
            [f"{each.normalize():f}" for each in sorted(nearest)],
        )

    def only(self, wanted: ChainFilter) -> OptionChain:
        """Returns the part that passes; raises NoOptions for an expiration that is not listed."""
        if wanted.expiration is not None and wanted.expiration not in self.expirations:
            raise NoOptions(
                self.symbol, str(wanted.expiration), [str(each) for each in self.expirations]
            )

        if wanted == ChainFilter():
            return self

        return OptionChain(
            symbol=self.symbol,
            today=self.today,
            contracts=tuple(each for each in self.contracts if wanted.passes(each, self.today)),
            tick_sizes=self.tick_sizes,
        )


def read_chain(symbol: str, today: date, roots: Iterable[JsonReader]) -> OptionChain:
    """Returns the chain in the broker's nested answer: one object a root, expirations in it."""
    contracts: list[OptionContract] = []
    tick_sizes: tuple[TickSize, ...] = ()
    for root in roots:
        tick_sizes = tick_sizes or root.items("tick-sizes", _tick_size)
        for expiration in root.items("expirations", lambda each: each):
            # An answer for futures holds the options on every month, of which `symbol` is one.
            if expiration.text("underlying-symbol") not in (None, symbol):
                continue

            # It names the contract's root in the expiration, answers for shares above it.
            name = expiration.text("option-root-symbol") or root.text("root-symbol") or symbol
            contracts.extend(_contracts(expiration, name))

    contracts.sort(key=_order)
    return OptionChain(
        symbol=symbol, today=today, contracts=tuple(contracts), tick_sizes=tick_sizes
    )


def _contracts(expiration: JsonReader, root: str) -> Iterable[OptionContract]:
    day = expiration.day("expiration-date")
    if day is None:
        return

    settlement = expiration.text("settlement-type") or ""
    kind = expiration.text("expiration-type") or ""
    strikes = expiration.raw.get("strikes") or []
    if not isinstance(strikes, list):
        expiration.odd("strikes", strikes)
        return

    # An index has ten thousand strikes: here the raw objects are read, not one `JsonReader` each.
    for raw in strikes:
        try:
            strike = Decimal(raw["strike-price"])
            usable = strike > 0 and isfinite(float(strike))  # it goes out as a JSON number
        except (ArithmeticError, KeyError, TypeError, ValueError):
            usable = False

        if not usable:
            expiration.odd("strikes", raw)
            continue

        for option_type, side in (("C", "call"), ("P", "put")):
            symbol = _text(raw.get(side))
            if symbol:
                streamer = _text(raw.get(f"{side}-streamer-symbol"))
                streamer = streamer or occ_to_streamer(symbol) or ""
                yield OptionContract(
                    symbol=symbol,
                    streamer_symbol=streamer,
                    option_type=option_type,
                    strike=strike,
                    expiration=day,
                    root_symbol=root,
                    settlement_type=settlement,
                    expiration_type=kind,
                )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _order(contract: OptionContract) -> tuple[date, Decimal, str, bool, str]:
    return (
        contract.expiration,
        contract.strike,
        contract.option_type,
        contract.settlement_type == "AM",
        contract.root_symbol,
    )


def _tick_size(item: JsonReader) -> TickSize:
    value = item.decimal("value")
    if value is None:
        raise Unreadable("value")

    return TickSize(value=value, threshold=item.decimal("threshold"))
