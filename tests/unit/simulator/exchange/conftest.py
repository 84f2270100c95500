"""Sets up an exchange whose prices, hours and time change only when a test changes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from server.simulator.customers import DEMO_REFRESH_TOKEN, Customers
from server.simulator.exchange import Exchange, ExchangeSettings
from server.simulator.exchange.account import Account
from server.simulator.exchange.clock import NEW_YORK
from server.simulator.exchange.contracts import Contract, TopOfBook
from server.simulator.exchange.vocabulary import InstrumentType
from tests.unit.simulator.stopped_clock import StoppedClock

START = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)  # a Tuesday, 11:00 in New York
NICKEL = ((Decimal(3), Decimal("0.05")), (None, Decimal("0.10")))
PENNY = ((None, Decimal("0.01")),)
MONTHLIES = (date(2026, 3, 20), date(2026, 4, 17), date(2026, 5, 15))
SPOTS = {
    "AAPL": Decimal(250),
    "SPY": Decimal(600),
    "QQQ": Decimal(500),
    "NVDA": Decimal(120),
    "MSFT": Decimal(400),
    "IWM": Decimal(220),
    "F": Decimal(12),
    "AMD": Decimal(160),
    "TLT": Decimal(90),
    "KO": Decimal(60),
    "DIS": Decimal(110),
}


@dataclass
class ManualVenue:
    """Lists some stocks, monthly options on them, an index, a future and a coin."""

    books: dict[str, TopOfBook] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    contracts: dict[str, Contract] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for contract, price in listed():
            self.list(contract, price)

    def list(self, contract: Contract, price: Decimal) -> None:
        self.contracts[contract.symbol] = contract
        self.quote(contract.symbol, price)

    def quote(self, symbol: str, price: Decimal | str, spread: Decimal | str = "0.10") -> None:
        """Puts a market around a price: half the spread below it and half above."""
        middle, half = Decimal(price), Decimal(spread) / 2
        self.books[symbol] = TopOfBook(
            bid=max(middle - half, Decimal(0)) or None,
            ask=middle + half,
            last=middle,
        )

    def find(self, symbol: str) -> Contract | None:
        return self.contracts.get(symbol)

    def tops(self, contracts: Sequence[Contract]) -> Sequence[TopOfBook]:
        return [self.books[contract.symbol] for contract in contracts]

    def closes(self, contracts: Sequence[Contract]) -> Sequence[Decimal | None]:
        return [self.books[contract.symbol].mark for contract in contracts]

    def is_open(self, contract: Contract) -> bool:
        return contract.symbol not in self.closed

    def session_end(self, moment: datetime) -> datetime:
        day = moment.astimezone(NEW_YORK)
        end = datetime.combine(day.date(), time(16, 0), NEW_YORK)
        while end <= moment or end.weekday() > 4:
            end = datetime.combine(end.date() + timedelta(days=1), time(16, 0), NEW_YORK)

        return end

    def is_trading_day(self, day: date) -> bool:
        return day.weekday() < 5

    def nearest_option(
        self, underlying: str, day: date, strike: Decimal, *, call: bool
    ) -> Contract | None:
        expiration = min(MONTHLIES, key=lambda one: abs((one - day).days))
        listed_here = [
            each
            for each, _ in listed()
            if each.underlying == underlying
            and each.call is call
            and each.expires_at is not None
            and each.expires_at.date() == expiration
        ]
        return min(
            listed_here, key=lambda one: abs((one.strike or Decimal(0)) - strike), default=None
        )


@cache
def listed() -> tuple[tuple[Contract, Decimal], ...]:
    """Returns everything that is listed with its first price; made once for all tests."""
    found = []
    for symbol, spot in SPOTS.items():
        found.append((stock(symbol), spot))
        for expiration in MONTHLIES:
            for step in range(80, 121, 2):
                for call in (True, False):
                    contract = option(
                        symbol, expiration, Decimal(int(spot * step / 100)), call=call
                    )
                    found.append((contract, fair(contract, spot)))

    found.append((index("SPX"), Decimal(6000)))
    for strike in (5900, 6000, 6100):
        contract = option(
            "SPX", MONTHLIES[0], Decimal(strike), call=False, kind=InstrumentType.INDEX
        )
        found.append((contract, fair(contract, Decimal(6000))))

    return (*found, (future("/ESH6"), Decimal(6010)), (coin("BTC/USD"), Decimal(60000)))


class RecordingPublisher:
    """Keeps what was published."""

    def __init__(self) -> None:
        self.published: list[tuple[str, str, dict[str, Any]]] = []

    def publish(self, account_number: str, kind: str, data: dict[str, Any]) -> None:
        self.published.append((account_number, kind, data))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for _, name, data in self.published if name == kind]


@dataclass
class ExchangeHarness:
    """Holds an exchange with its demo accounts and what a test moves it with."""

    exchange: Exchange
    venue: ManualVenue
    clock: StoppedClock
    recorder: RecordingPublisher
    margin: Account
    cash: Account

    def run(self, seconds: float = 5, step: float = 0.05) -> None:
        """Lets time pass in small steps."""
        for _ in range(int(seconds / step)):
            self.clock.forward(seconds=step)
            self.exchange.step()


def stock(symbol: str) -> Contract:
    return Contract(
        symbol=symbol,
        instrument_type=InstrumentType.EQUITY,
        underlying=symbol,
        underlying_instrument_type=InstrumentType.EQUITY,
        multiplier=Decimal(1),
        ticks=PENNY,
        streamer_symbol=symbol,
    )


def option(
    underlying: str,
    expiration: date,
    strike: Decimal,
    *,
    call: bool,
    kind: InstrumentType = InstrumentType.EQUITY,
) -> Contract:
    letter = "C" if call else "P"
    return Contract(
        symbol=f"{underlying:<6}{expiration:%y%m%d}{letter}{int(strike * 1000):08d}",
        instrument_type=InstrumentType.EQUITY_OPTION,
        underlying=underlying,
        underlying_instrument_type=kind,
        multiplier=Decimal(100),
        ticks=NICKEL if underlying == "SPX" else PENNY,
        streamer_symbol=f".{underlying}{expiration:%y%m%d}{letter}{strike}",
        call=call,
        strike=strike,
        expires_at=datetime.combine(expiration, time(16, 0), NEW_YORK),
    )


def index(symbol: str) -> Contract:
    return Contract(
        symbol=symbol,
        instrument_type=InstrumentType.INDEX,
        underlying=symbol,
        underlying_instrument_type=InstrumentType.INDEX,
        multiplier=Decimal(1),
        ticks=PENNY,
    )


def future(symbol: str) -> Contract:
    return Contract(
        symbol=symbol,
        instrument_type=InstrumentType.FUTURE,
        underlying=symbol,
        underlying_instrument_type=InstrumentType.FUTURE,
        multiplier=Decimal(50),
        ticks=((None, Decimal("0.25")),),
        product="ES",
        expires_at=datetime(2026, 3, 20, 13, 30, tzinfo=UTC),
    )


def coin(symbol: str) -> Contract:
    return Contract(
        symbol=symbol,
        instrument_type=InstrumentType.CRYPTOCURRENCY,
        underlying=symbol,
        underlying_instrument_type=InstrumentType.CRYPTOCURRENCY,
        multiplier=Decimal(1),
        ticks=PENNY,
    )


def fair(contract: Contract, spot: Decimal) -> Decimal:
    """Returns a plausible price: intrinsic value, and some time value around the strike."""
    strike = contract.strike or Decimal(0)
    inside = max(Decimal(0), spot - strike if contract.call else strike - spot)
    away = abs(spot - strike) / spot
    time_value = max(Decimal("0.10"), spot * (Decimal("0.03") - away / 5))
    return (inside + time_value).quantize(Decimal("0.1"))


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(START)


@pytest.fixture
def venue() -> ManualVenue:
    return ManualVenue()


@pytest.fixture
def make_harness(clock: StoppedClock, venue: ManualVenue) -> Callable[..., ExchangeHarness]:
    def make(**settings: Any) -> ExchangeHarness:
        recorder = RecordingPublisher()
        exchange = Exchange(
            venue=venue,
            clock=clock,
            publisher=recorder,
            settings=ExchangeSettings(**settings),
        )
        owner = Customers().of_grant(DEMO_REFRESH_TOKEN)
        margin, cash = exchange.accounts_of(owner, owner.accounts)
        return ExchangeHarness(exchange, venue, clock, recorder, margin, cash)

    return make


@pytest.fixture
def harness(make_harness: Callable[..., ExchangeHarness]) -> ExchangeHarness:
    return make_harness()


def leg(symbol: str, action: str, quantity: Any = 1, kind: str | None = None) -> dict[str, Any]:
    """Returns one leg of an order request."""
    guessed = "Equity Option" if len(symbol) > 12 else "Equity"
    body = {"symbol": symbol, "action": action, "instrument-type": kind or guessed}
    return body if quantity is None else body | {"quantity": quantity}


def request(*legs: dict[str, Any], price: Any = None, **fields: Any) -> dict[str, Any]:
    """Returns an order request.

    A signed `price` becomes price and effect, and underscores in names become dashes.
    """
    body: dict[str, Any] = {"order-type": "Limit", "time-in-force": "Day", "legs": list(legs)}
    body |= {name.replace("_", "-"): value for name, value in fields.items()}
    if price is not None:
        amount = Decimal(str(price))
        body["price"] = str(abs(amount))
        body["price-effect"] = "Credit" if amount > 0 else "Debit"

    return body
