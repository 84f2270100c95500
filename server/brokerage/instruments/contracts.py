"""What an order must know of an instrument: its kind, its ticks, its multiplier, its last moment.

The ticks of an option stand at its underlying, not at the option. In a table of ticks an entry with
a threshold holds below it, and the one without from there on; read the other way round, half of all
prices would be off the tick.
"""

from __future__ import annotations

__all__ = ["Contract", "Contracts"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from server.brokerage.api.json_reader import JsonReader, Unreadable, items_of, read_all
from server.brokerage.instruments.chains import TickSize
from server.brokerage.instruments.lookup import Resolved
from server.brokerage.instruments.symbols import InstrumentKind, parse
from server.brokerage.session import BrokerSession
from server.brokerage.transport.paths import segment
from server.brokerage.transport.single_flight import OnceEach
from server.clock import Clock, new_york_today
from server.errors import NotKnownToBroker, SymbolNotFound

MOST_KEPT = 2000
"""Instruments that one tenant's orders are remembered for; more are asked for again."""
COIN_DECIMALS = 8
"""How far a coin can be divided, where the broker does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One instrument, as far as an order needs to know it."""

    symbol: str
    kind: InstrumentKind
    streamer_symbol: str
    underlying_symbol: str
    multiplier: Decimal
    """Dollars for one point of price and one unit of quantity."""
    ticks: tuple[TickSize, ...]
    """In rising order of thresholds; empty where the broker does not say."""
    expires_at: datetime | None = None
    expiration: date | None = None
    decimals: int = 0
    """Decimal places that a quantity may have."""

    @property
    def is_option(self) -> bool:
        return self.kind in (InstrumentKind.EQUITY_OPTION, InstrumentKind.FUTURE_OPTION)


class Contracts:
    """Asks one tenant's session, each instrument once a day."""

    def __init__(self, session: BrokerSession, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._day = new_york_today(clock)
        self._kept: OnceEach[str, Contract] = OnceEach(MOST_KEPT)
        self._ticks: OnceEach[str, tuple[TickSize, ...]] = OnceEach(MOST_KEPT)

    async def get(self, instrument: Resolved) -> Contract:
        """Returns the contract; raises NotFound."""
        self._turn_over()
        try:
            return await self._kept.get(instrument.symbol, lambda: self._ask(instrument))
        except NotKnownToBroker as unknown:
            raise SymbolNotFound(instrument.symbol) from unknown

    def _turn_over(self) -> None:
        today = new_york_today(self._clock)
        if today != self._day:
            self._day = today
            self._kept.clear()
            self._ticks.clear()

    async def _ask(self, instrument: Resolved) -> Contract:
        match instrument.kind:
            case InstrumentKind.EQUITY:
                return await self._equity(instrument)
            case InstrumentKind.EQUITY_OPTION:
                return await self._equity_option(instrument)
            case InstrumentKind.FUTURE:
                return await self._future(instrument)
            case InstrumentKind.FUTURE_OPTION:
                return await self._future_option(instrument)
            case InstrumentKind.CRYPTOCURRENCY:
                return await self._coin(instrument)
            case InstrumentKind.INDEX:
                return _index(instrument)

    async def _equity(self, instrument: Resolved) -> Contract:
        item = await self._single(f"/instruments/equities/{segment(instrument.symbol)}")
        if item.flag("is-index"):
            return _index(instrument)

        return Contract(
            symbol=instrument.symbol,
            kind=instrument.kind,
            streamer_symbol=instrument.streamer_symbol,
            underlying_symbol=instrument.symbol,
            multiplier=Decimal(1),
            ticks=_table(item, "tick-sizes"),
        )

    async def _equity_option(self, instrument: Resolved) -> Contract:
        item = await self._listed("/instruments/equity-options", instrument.symbol)
        if item is None:
            raise await self._unlisted(instrument.symbol)

        underlying = item.text("underlying-symbol") or parse(instrument.symbol).root
        return Contract(
            symbol=instrument.symbol,
            kind=instrument.kind,
            streamer_symbol=instrument.streamer_symbol,
            underlying_symbol=underlying,
            multiplier=item.decimal("shares-per-contract") or Decimal(100),
            ticks=await self._option_ticks(f"/instruments/equities/{segment(underlying)}"),
            expires_at=item.moment("stops-trading-at") or item.moment("expires-at"),
            expiration=item.day("expiration-date"),
        )

    async def _future(self, instrument: Resolved) -> Contract:
        item = await self._listed("/instruments/futures", instrument.symbol)
        if item is None:
            raise SymbolNotFound(instrument.symbol)

        return Contract(
            symbol=instrument.symbol,
            kind=instrument.kind,
            streamer_symbol=instrument.streamer_symbol,
            underlying_symbol=instrument.symbol,
            multiplier=item.decimal("notional-multiplier") or Decimal(1),
            ticks=_table(item, "tick-sizes") or _flat(item.decimal("tick-size")),
            expires_at=item.moment("stops-trading-at") or item.moment("expires-at"),
            expiration=item.day("expiration-date"),
        )

    async def _future_option(self, instrument: Resolved) -> Contract:
        item = await self._listed("/instruments/future-options", instrument.symbol)
        if item is None:
            raise SymbolNotFound(instrument.symbol)

        future = item.text("underlying-symbol") or ""
        factor = item.decimal("display-factor") or Decimal(1)
        return Contract(
            symbol=instrument.symbol,
            kind=instrument.kind,
            streamer_symbol=instrument.streamer_symbol,
            underlying_symbol=future,
            multiplier=(item.decimal("notional-value") or factor) / factor,
            ticks=await self._option_ticks(f"/instruments/futures/{segment(future.lstrip('/'))}"),
            expires_at=item.moment("stops-trading-at") or item.moment("expires-at"),
            expiration=item.day("expiration-date"),
        )

    async def _coin(self, instrument: Resolved) -> Contract:
        item = await self._listed("/instruments/cryptocurrencies", instrument.symbol)
        if item is None:
            raise SymbolNotFound(instrument.symbol)

        venues = item.items("destination-venue-symbols", _precision)
        return Contract(
            symbol=instrument.symbol,
            kind=instrument.kind,
            streamer_symbol=instrument.streamer_symbol,
            underlying_symbol=instrument.symbol,
            multiplier=Decimal(1),
            ticks=_flat(item.decimal("tick-size")),
            decimals=min((each for each in venues if each is not None), default=COIN_DECIMALS),
        )

    async def _option_ticks(self, path: str) -> tuple[TickSize, ...]:
        async def ask() -> tuple[TickSize, ...]:
            try:
                return _table(await self._single(path), "option-tick-sizes")
            except NotKnownToBroker:
                return ()

        return await self._ticks.get(path, ask)

    async def _unlisted(self, symbol: str) -> Exception:
        """Returns why an option does not exist, with the choices that its chain has."""
        option = parse(symbol)
        if option.expiration and option.strike is not None and option.option_type:
            chain = await self._session.chain(option.root)
            chain.find(option.expiration, option.strike, option.option_type)

        return SymbolNotFound(symbol)

    async def _single(self, path: str) -> JsonReader:
        data = await self._session.connection.get(path)
        return JsonReader(data, self._session.faults, "instrument")

    async def _listed(self, path: str, symbol: str) -> JsonReader | None:
        data = await self._session.connection.get(path, {"symbol[]": [symbol]})
        found = read_all(items_of(data), _same, self._session.faults, "instrument")
        return next((each for each in found if each.text("symbol") == symbol), None)


def _same(item: JsonReader) -> JsonReader:
    return item


def _precision(item: JsonReader) -> int | None:
    return item.integer("max-quantity-precision")


def _table(item: JsonReader, name: str) -> tuple[TickSize, ...]:
    read: Callable[[JsonReader], TickSize] = _tick
    rows: Sequence[TickSize] = item.items(name, read)
    return tuple(sorted(rows, key=lambda row: (row.threshold is None, row.threshold or Decimal(0))))


def _flat(value: Decimal | None) -> tuple[TickSize, ...]:
    return () if not value else (TickSize(value=value, threshold=None),)


def _tick(item: JsonReader) -> TickSize:
    value = item.decimal("value")
    if value is None or value <= 0:
        raise Unreadable("value")

    return TickSize(value=value, threshold=item.decimal("threshold"))


def _index(instrument: Resolved) -> Contract:
    # Not for sale: whoever is asked to order it refuses it by its kind.
    return Contract(
        symbol=instrument.symbol,
        kind=InstrumentKind.INDEX,
        streamer_symbol=instrument.streamer_symbol,
        underlying_symbol=instrument.symbol,
        multiplier=Decimal(1),
        ticks=(),
    )
