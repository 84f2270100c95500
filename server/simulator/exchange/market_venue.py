"""Adapts the simulated market to the exchange's `Venue`.

It is the only module of the exchange that imports the market. Each contract is made once, because
the exchange compares and keeps contracts by symbol.
"""

from __future__ import annotations

__all__ = ["MarketVenue"]

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from server.simulator.exchange.clock import NEW_YORK
from server.simulator.exchange.contracts import Contract, TopOfBook
from server.simulator.exchange.vocabulary import InstrumentType
from server.simulator.market import Instrument, Market, Quote
from server.simulator.market.calendar import is_trading_day
from server.simulator.market.expirations import list_stock_option_expirations
from server.simulator.market.stocks import STOCKS
from server.simulator.market.strikes import build_stock_ladder
from server.simulator.market.symbols import format_occ
from server.simulator.market.time_grid import to_units

COLLECTION = "Equity"
"""The session whose end is the end of the day for every contract."""


class MarketVenue:
    """Lets the exchange trade on the simulated market."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._contracts: dict[str, Contract] = {}
        # The market changes only at ticks, so what it returned is valid until the next one.
        self._tick = -1
        self._tops: dict[str, TopOfBook] = {}
        self._closes: dict[str, Decimal | None] = {}
        self._open: dict[str, bool] = {}

    def find(self, symbol: str) -> Contract | None:
        contract = self._contracts.get(symbol)
        if contract is None:
            instrument = self._market.find(symbol)
            contract = None if instrument is None else self._make_contract(instrument)
            if contract is not None:
                self._contracts[contract.symbol] = contract

        return contract

    def tops(self, contracts: Sequence[Contract]) -> list[TopOfBook]:
        self._clear_at_new_tick()
        missing = [one for one in contracts if one.symbol not in self._tops]
        quotes = self._market.quotes(self._instruments(missing))
        for contract, quote in zip(missing, quotes, strict=True):
            self._tops[contract.symbol] = _make_top_of_book(quote)

        return [self._tops[contract.symbol] for contract in contracts]

    def closes(self, contracts: Sequence[Contract]) -> list[Decimal | None]:
        self._clear_at_new_tick()
        missing = [one for one in contracts if one.symbol not in self._closes]
        closes = self._market.closes(self._instruments(missing))
        for contract, close in zip(missing, closes, strict=True):
            self._closes[contract.symbol] = close

        return [self._closes[contract.symbol] for contract in contracts]

    def is_open(self, contract: Contract) -> bool:
        self._clear_at_new_tick()
        opened = self._open.get(contract.symbol)
        if opened is None:
            (instrument,) = self._instruments([contract])
            opened = self._open[contract.symbol] = self._market.is_open(instrument)

        return opened

    def session_end(self, moment: datetime) -> datetime:
        day = moment.astimezone(NEW_YORK).date()
        session = self._market.hours.session(COLLECTION, day)
        if session is None or session.close <= moment:
            session = self._market.hours.next_session(COLLECTION, day)

        return session.close

    def is_trading_day(self, day: date) -> bool:
        return is_trading_day(day)

    def nearest_option(
        self, underlying: str, day: date, strike: Decimal, *, call: bool
    ) -> Contract | None:
        if underlying not in STOCKS:
            return None

        # Does not load the chain, which would cost more than all the rest of the start.
        listed = list_stock_option_expirations(underlying, self._market.listing.chain_day())
        if not listed:
            return None

        expiration = min(listed, key=lambda one: abs((one.day - day).days))
        ladder = build_stock_ladder(underlying, expiration.root).tolist()
        nearest = min(ladder, key=lambda one: abs(one - float(strike)))
        return self.find(format_occ(expiration.root, expiration.day, "C" if call else "P", nearest))

    def _clear_at_new_tick(self) -> None:
        tick = to_units(self._market.clock.now()) // self._market.time_grid.step
        if tick != self._tick:
            self._tick = tick
            self._tops.clear()
            self._closes.clear()
            self._open.clear()

    def _instruments(self, contracts: Sequence[Contract]) -> list[Instrument]:
        found = [self._market.find(contract.symbol) for contract in contracts]
        return [instrument for instrument in found if instrument is not None]

    def _make_contract(self, instrument: Instrument) -> Contract | None:
        try:
            kind = InstrumentType(instrument.instrument_type)
        except ValueError:
            # Currency pairs have a price in the market, but cannot be ordered.
            return None

        below = self._market.find(instrument.underlying_symbol)
        below_kind = kind if below is None else InstrumentType(below.instrument_type)
        return Contract(
            symbol=instrument.symbol,
            instrument_type=kind,
            underlying=instrument.underlying_symbol,
            underlying_instrument_type=below_kind,
            multiplier=instrument.multiplier,
            ticks=tuple((row.threshold, row.value) for row in instrument.tick_sizes),
            streamer_symbol=instrument.streamer_symbol,
            call=instrument.option_type == "C" if instrument.is_option else None,
            strike=instrument.strike_price,
            expires_at=instrument.expires_at,
            product=instrument.product_code,
            closing_only=instrument.is_closing_only,
        )


def _make_top_of_book(quote: Quote) -> TopOfBook:
    return TopOfBook(
        bid=quote.bid or None,
        ask=quote.ask or None,
        last=quote.last,
        bid_size=quote.bid_size or None,
        ask_size=quote.ask_size or None,
    )
