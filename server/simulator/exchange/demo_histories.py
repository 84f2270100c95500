"""Makes up histories and working orders for accounts that nobody has traded in.

A history is a list of past events. All contracts are listed ones, and prices are today's times a
factor; all choices come from the random generator of the context.
"""

from __future__ import annotations

__all__ = [
    "HistoryContext",
    "find_trading_time",
    "make_demo_bracket",
    "make_demo_history",
    "make_demo_orders",
    "make_derived_history",
]

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from random import Random

from server.simulator.exchange.backfill import (
    Deposit,
    ExpiredOption,
    FilledOrder,
    HistoryEvent,
    UnfilledOrder,
)
from server.simulator.exchange.clock import NEW_YORK, new_york_date
from server.simulator.exchange.contracts import Contract, Venue
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.orders import Ticket, TicketLeg
from server.simulator.exchange.vocabulary import Action, OrderType, Status, TimeInForce

_STOCKS = ("AAPL", "MSFT", "NVDA", "AMD", "QQQ", "IWM", "TLT", "KO", "F", "DIS")


@dataclass(frozen=True, slots=True)
class HistoryContext:
    """Finds contracts, prices and times for the history of one account."""

    venue: Venue
    marks: Marks
    now: datetime
    random: Random

    def load_marks(self) -> None:
        """Loads the marks of all stocks in one call instead of a dozen."""
        found = (self.venue.find(symbol) for symbol in ("SPY", *_STOCKS))
        self.marks.load(stock for stock in found if stock is not None)

    def find_stock(self, symbol: str) -> Contract | None:
        return self.venue.find(symbol)

    def scale_price(self, contract: Contract, factor: str) -> Decimal:
        """Returns today's price times a factor, on the contract's tick and never zero."""
        mark = self.marks.mark(contract) * Decimal(factor)
        tick = contract.tick_at(mark)
        return max(tick, (mark / tick).quantize(Decimal(1), ROUND_HALF_EVEN) * tick)

    def pick_time(self, days_ago: int, hour: int = 10) -> datetime:
        minute = self.random.randrange(60)
        return find_trading_time(self.venue, new_york_date(self.now), days_ago, hour, minute)

    def find_option(
        self, underlying: str, days: int, factor: str, *, call: bool
    ) -> Contract | None:
        """Returns the listed option nearest to an age and to a share of the underlying's price."""
        stock = self.venue.find(underlying)
        if stock is None:
            return None

        wanted = new_york_date(self.now) + timedelta(days=days)
        strike = self.marks.mark(stock) * Decimal(factor)
        return self.venue.nearest_option(underlying, wanted, strike, call=call)


def make_demo_history(context: HistoryContext) -> Iterator[HistoryEvent]:
    """Yields the demo account's half year: stock, a spread, long and short options."""
    yield Deposit(at=context.pick_time(186), amount=Decimal(100_000))
    yield Deposit(at=context.pick_time(150), amount=Decimal(25_000))
    yield from _buy_and_sell_stock(context, "QQQ", 40, "0.94", "0.97", 130, 96)
    yield from _buy_stock(context, "AAPL", 100, "0.91", 120)
    yield from _buy_stock(context, "SPY", 30, "0.95", 75)
    yield from _buy_stock(context, "NVDA", 50, "0.88", 61)
    yield from _sell_expired_put(context, "SPY")

    protection = context.find_option("SPY", 45, "0.96", call=False)
    covered = context.find_option("AAPL", 30, "1.05", call=True)
    short = context.find_option("QQQ", 40, "0.95", call=False)
    long = context.find_option("QQQ", 40, "0.93", call=False)
    naked = context.find_option("IWM", 35, "0.92", call=False)
    options = (protection, covered, short, long, naked)
    context.marks.load(option for option in options if option is not None)
    if protection is not None:
        yield _make_filled_order(context, ((protection, Action.BUY_TO_OPEN, 2, "1.18"),), 12)

    if covered is not None:
        yield _make_filled_order(context, ((covered, Action.SELL_TO_OPEN, 1, "1.35"),), 15)

    if short is not None and long is not None and short.symbol != long.symbol:
        yield _make_filled_order(
            context,
            (
                (short, Action.SELL_TO_OPEN, 1, "1.25"),
                (long, Action.BUY_TO_OPEN, 1, "1.2"),
            ),
            9,
        )

    if naked is not None:
        yield _make_filled_order(context, ((naked, Action.SELL_TO_OPEN, 1, "1.4"),), 6)

    if (spy := context.find_stock("SPY")) is not None:
        yield UnfilledOrder(
            at=context.pick_time(20),
            contract=spy,
            action=Action.BUY_TO_OPEN,
            quantity=Decimal(10),
            price=context.scale_price(spy, "0.9"),
            status=Status.CANCELLED,
        )
        yield UnfilledOrder(
            at=context.pick_time(3),
            contract=spy,
            action=Action.BUY_TO_OPEN,
            quantity=Decimal(1),
            price=context.scale_price(spy, "0.5"),
            status=Status.REJECTED,
            reason="Session offline",
        )


def make_demo_orders(context: HistoryContext) -> Iterator[Ticket]:
    """Yields the demo account's working orders, all far from the market."""
    if (stock := context.find_stock("MSFT")) is not None:
        yield _make_limit_order(
            stock, Action.BUY_TO_OPEN, 10, -context.scale_price(stock, "0.8"), TimeInForce.GTC
        )

    if (stock := context.find_stock("AAPL")) is not None:
        yield _make_limit_order(
            stock, Action.SELL_TO_CLOSE, 50, context.scale_price(stock, "1.3"), TimeInForce.GTC
        )

    put = context.find_option("SPY", 45, "0.96", call=False)
    if put is not None:
        yield _make_limit_order(
            put, Action.SELL_TO_CLOSE, 1, context.scale_price(put, "4"), TimeInForce.DAY
        )


def make_demo_bracket(context: HistoryContext) -> tuple[Ticket, Ticket] | None:
    """Returns the two orders of the demo account's OCO."""
    stock = context.find_stock("NVDA")
    if stock is None:
        return None

    gain = _make_limit_order(
        stock, Action.SELL_TO_CLOSE, 50, context.scale_price(stock, "1.4"), TimeInForce.GTC
    )
    loss = Ticket(
        type=OrderType.STOP,
        time_in_force=TimeInForce.GTC,
        stop_trigger=context.scale_price(stock, "0.6"),
        legs=gain.legs,
        source="history",
    )
    return gain, loss


def make_derived_history(context: HistoryContext, *, margin: bool) -> Iterator[HistoryEvent]:
    """Yields the history of any other customer's account."""
    random = context.random
    money = Decimal(random.randrange(30, 160) if margin else random.randrange(8, 40)) * 1000
    yield Deposit(at=context.pick_time(180), amount=money)
    chosen = random.sample(_STOCKS, 4 if margin else 2)
    for symbol in chosen:
        stock = context.find_stock(symbol)
        if stock is None:
            continue

        # An equal share of the cash each, so that no account starts with a margin call.
        price = context.scale_price(stock, "1")
        quantity = int(money / (8 if margin else 4) / price)
        if quantity:
            factor = f"0.{random.randrange(85, 99)}"
            yield from _buy_stock(context, symbol, quantity, factor, random.randrange(20, 150))

    if not margin:
        return

    underlying = random.choice(("SPY", "QQQ", "IWM"))
    bought = context.find_option(underlying, 45, "0.95", call=False)
    if bought is not None:
        yield _make_filled_order(
            context, ((bought, Action.BUY_TO_OPEN, 1, "1.1"),), random.randrange(2, 15)
        )

    sold = context.find_option("F", 30, "1.1", call=True)
    if sold is not None:
        yield _make_filled_order(
            context, ((sold, Action.SELL_TO_OPEN, 1, "1.3"),), random.randrange(2, 15)
        )


def _buy_stock(
    context: HistoryContext, symbol: str, quantity: int, factor: str, days: int
) -> Iterator[HistoryEvent]:
    if (stock := context.find_stock(symbol)) is not None:
        yield _make_filled_order(context, ((stock, Action.BUY_TO_OPEN, quantity, factor),), days)


def _buy_and_sell_stock(
    context: HistoryContext,
    symbol: str,
    quantity: int,
    bought: str,
    sold: str,
    days: int,
    until: int,
) -> Iterator[HistoryEvent]:
    if (stock := context.find_stock(symbol)) is not None:
        yield _make_filled_order(context, ((stock, Action.BUY_TO_OPEN, quantity, bought),), days)
        yield _make_filled_order(context, ((stock, Action.SELL_TO_CLOSE, quantity, sold),), until)


def _sell_expired_put(context: HistoryContext, underlying: str) -> Iterator[HistoryEvent]:
    # A put that expired on a Friday some weeks ago; the market still finds the contract.
    stock = context.find_stock(underlying)
    if stock is None:
        return

    friday = new_york_date(context.now) - timedelta(days=14)
    friday -= timedelta(days=(friday.weekday() - 4) % 7)
    strike = int(context.scale_price(stock, "0.85") / 5) * 5
    put = context.venue.find(f"{underlying:<6}{friday:%y%m%d}P{strike * 1000:08d}")
    if put is None or put.expires_at is None or put.expires_at >= context.now:
        return

    yield FilledOrder(
        at=context.pick_time((new_york_date(context.now) - friday).days + 24),
        legs=((put, Action.SELL_TO_OPEN, Decimal(1), Decimal("2.05")),),
    )
    yield ExpiredOption(at=put.expires_at, symbol=put.symbol)


def _make_filled_order(
    context: HistoryContext, legs: tuple[tuple[Contract, Action, int, str], ...], days: int
) -> FilledOrder:
    return FilledOrder(
        at=context.pick_time(days),
        legs=tuple(
            (contract, action, Decimal(quantity), context.scale_price(contract, factor))
            for contract, action, quantity, factor in legs
        ),
    )


def _make_limit_order(
    contract: Contract, action: Action, quantity: int, price: Decimal, force: TimeInForce
) -> Ticket:
    return Ticket(
        type=OrderType.LIMIT,
        time_in_force=force,
        price=price,
        legs=(
            TicketLeg(
                symbol=contract.symbol,
                instrument_type=contract.instrument_type.value,
                action=action,
                quantity=Decimal(quantity),
            ),
        ),
        source="history",
    )


def find_trading_time(
    venue: Venue, today: date, days_ago: int, hour: int, minute: int = 30
) -> datetime:
    """Returns an instant on the last trading day that is at least so many days ago."""
    day = today - timedelta(days=days_ago)
    while not venue.is_trading_day(day):
        day -= timedelta(days=1)

    return datetime.combine(day, time(hour, minute), NEW_YORK)
