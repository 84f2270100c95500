"""What is told of accounts that nobody has traded in: the demo customer's, and everybody else's.

A story is a list of past events and of orders that still work. All contracts are really listed, and
prices are today's times a factor; all choices are the random generator's of the scene.
"""

from __future__ import annotations

__all__ = ["Scene", "demo_bracket", "demo_past", "demo_working", "other_past", "trading_time"]

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from random import Random

from server.simulator.exchange.backfill import Deposit, EndedOrder, Expired, PastEvent, PastTrade
from server.simulator.exchange.clock import NEW_YORK, new_york_day
from server.simulator.exchange.contracts import Contract, Venue
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.orders import Ticket, TicketLeg
from server.simulator.exchange.vocabulary import Action, OrderType, Status, TimeInForce

_STOCKS = ("AAPL", "MSFT", "NVDA", "AMD", "QQQ", "IWM", "TLT", "KO", "F", "DIS")


@dataclass(frozen=True, slots=True)
class Scene:
    """Finds contracts and prices of the past for a story about an account."""

    venue: Venue
    marks: Marks
    now: datetime
    random: Random

    def look(self) -> None:
        """Asks for the prices of all stocks of the stories at once: one call, not a dozen."""
        found = (self.venue.find(symbol) for symbol in ("SPY", *_STOCKS))
        self.marks.load(stock for stock in found if stock is not None)

    def stock(self, symbol: str) -> Contract | None:
        return self.venue.find(symbol)

    def price(self, contract: Contract, factor: str) -> Decimal:
        """Returns today's price times a factor, on the contract's tick and never zero."""
        mark = self.marks.mark(contract) * Decimal(factor)
        tick = contract.tick_at(mark)
        return max(tick, (mark / tick).quantize(Decimal(1), ROUND_HALF_EVEN) * tick)

    def at(self, days_ago: int, hour: int = 10) -> datetime:
        minute = self.random.randrange(60)
        return trading_time(self.venue, new_york_day(self.now), days_ago, hour, minute)

    def option(self, underlying: str, days: int, factor: str, *, call: bool) -> Contract | None:
        """Returns the listed option nearest to an age and to a share of the underlying's price."""
        stock = self.venue.find(underlying)
        if stock is None:
            return None

        wanted = new_york_day(self.now) + timedelta(days=days)
        strike = self.marks.mark(stock) * Decimal(factor)
        return self.venue.nearest_option(underlying, wanted, strike, call=call)


def demo_past(scene: Scene) -> Iterator[PastEvent]:
    """Yields the demo account's half year: stock, spread, long and short options."""
    yield Deposit(at=scene.at(186), amount=Decimal(100_000))
    yield Deposit(at=scene.at(150), amount=Decimal(25_000))
    yield from _round_trip(scene, "QQQ", 40, "0.94", "0.97", 130, 96)
    yield from _holding(scene, "AAPL", 100, "0.91", 120)
    yield from _holding(scene, "SPY", 30, "0.95", 75)
    yield from _holding(scene, "NVDA", 50, "0.88", 61)
    yield from _expired_put(scene, "SPY")

    protection = scene.option("SPY", 45, "0.96", call=False)
    covered = scene.option("AAPL", 30, "1.05", call=True)
    short = scene.option("QQQ", 40, "0.95", call=False)
    long = scene.option("QQQ", 40, "0.93", call=False)
    naked = scene.option("IWM", 35, "0.92", call=False)
    options = (protection, covered, short, long, naked)
    scene.marks.load(option for option in options if option is not None)
    if protection is not None:
        yield _opened(scene, ((protection, Action.BUY_TO_OPEN, 2, "1.18"),), 12)

    if covered is not None:
        yield _opened(scene, ((covered, Action.SELL_TO_OPEN, 1, "1.35"),), 15)

    if short is not None and long is not None and short.symbol != long.symbol:
        yield _opened(
            scene,
            (
                (short, Action.SELL_TO_OPEN, 1, "1.25"),
                (long, Action.BUY_TO_OPEN, 1, "1.2"),
            ),
            9,
        )

    if naked is not None:
        yield _opened(scene, ((naked, Action.SELL_TO_OPEN, 1, "1.4"),), 6)

    if (spy := scene.stock("SPY")) is not None:
        yield EndedOrder(
            at=scene.at(20),
            contract=spy,
            action=Action.BUY_TO_OPEN,
            quantity=Decimal(10),
            price=scene.price(spy, "0.9"),
            status=Status.CANCELLED,
        )
        yield EndedOrder(
            at=scene.at(3),
            contract=spy,
            action=Action.BUY_TO_OPEN,
            quantity=Decimal(1),
            price=scene.price(spy, "0.5"),
            status=Status.REJECTED,
            reason="Session offline",
        )


def demo_working(scene: Scene) -> Iterator[Ticket]:
    """Yields its working orders, all far from the market."""
    if (stock := scene.stock("MSFT")) is not None:
        yield _limit(stock, Action.BUY_TO_OPEN, 10, -scene.price(stock, "0.8"), TimeInForce.GTC)

    if (stock := scene.stock("AAPL")) is not None:
        yield _limit(stock, Action.SELL_TO_CLOSE, 50, scene.price(stock, "1.3"), TimeInForce.GTC)

    put = scene.option("SPY", 45, "0.96", call=False)
    if put is not None:
        yield _limit(put, Action.SELL_TO_CLOSE, 1, scene.price(put, "4"), TimeInForce.DAY)


def demo_bracket(scene: Scene) -> tuple[Ticket, Ticket] | None:
    """Returns the two orders of the demo account's OCO."""
    stock = scene.stock("NVDA")
    if stock is None:
        return None

    gain = _limit(stock, Action.SELL_TO_CLOSE, 50, scene.price(stock, "1.4"), TimeInForce.GTC)
    loss = Ticket(
        type=OrderType.STOP,
        time_in_force=TimeInForce.GTC,
        stop_trigger=scene.price(stock, "0.6"),
        legs=gain.legs,
        source="history",
    )
    return gain, loss


def other_past(scene: Scene, *, margin: bool) -> Iterator[PastEvent]:
    """Yields the past of anybody else's account."""
    random = scene.random
    money = Decimal(random.randrange(30, 160) if margin else random.randrange(8, 40)) * 1000
    yield Deposit(at=scene.at(180), amount=money)
    chosen = random.sample(_STOCKS, 4 if margin else 2)
    for symbol in chosen:
        stock = scene.stock(symbol)
        if stock is None:
            continue

        # A share of the money each, so that nobody starts with a margin call.
        price = scene.price(stock, "1")
        quantity = int(money / (8 if margin else 4) / price)
        if quantity:
            factor = f"0.{random.randrange(85, 99)}"
            yield from _holding(scene, symbol, quantity, factor, random.randrange(20, 150))

    if not margin:
        return

    underlying = random.choice(("SPY", "QQQ", "IWM"))
    bought = scene.option(underlying, 45, "0.95", call=False)
    if bought is not None:
        yield _opened(scene, ((bought, Action.BUY_TO_OPEN, 1, "1.1"),), random.randrange(2, 15))

    sold = scene.option("F", 30, "1.1", call=True)
    if sold is not None:
        yield _opened(scene, ((sold, Action.SELL_TO_OPEN, 1, "1.3"),), random.randrange(2, 15))


def _holding(
    scene: Scene, symbol: str, quantity: int, factor: str, days: int
) -> Iterator[PastEvent]:
    if (stock := scene.stock(symbol)) is not None:
        yield _opened(scene, ((stock, Action.BUY_TO_OPEN, quantity, factor),), days)


def _round_trip(
    scene: Scene, symbol: str, quantity: int, bought: str, sold: str, days: int, until: int
) -> Iterator[PastEvent]:
    if (stock := scene.stock(symbol)) is not None:
        yield _opened(scene, ((stock, Action.BUY_TO_OPEN, quantity, bought),), days)
        yield _opened(scene, ((stock, Action.SELL_TO_CLOSE, quantity, sold),), until)


def _expired_put(scene: Scene, underlying: str) -> Iterator[PastEvent]:
    # A put that ran out on a Friday some weeks ago, where the market still knows the contract.
    stock = scene.stock(underlying)
    if stock is None:
        return

    friday = new_york_day(scene.now) - timedelta(days=14)
    friday -= timedelta(days=(friday.weekday() - 4) % 7)
    strike = int(scene.price(stock, "0.85") / 5) * 5
    put = scene.venue.find(f"{underlying:<6}{friday:%y%m%d}P{strike * 1000:08d}")
    if put is None or put.expires_at is None or put.expires_at >= scene.now:
        return

    yield PastTrade(
        at=scene.at((new_york_day(scene.now) - friday).days + 24),
        legs=((put, Action.SELL_TO_OPEN, Decimal(1), Decimal("2.05")),),
    )
    yield Expired(at=put.expires_at, symbol=put.symbol)


def _opened(
    scene: Scene, legs: tuple[tuple[Contract, Action, int, str], ...], days: int
) -> PastTrade:
    return PastTrade(
        at=scene.at(days),
        legs=tuple(
            (contract, action, Decimal(quantity), scene.price(contract, factor))
            for contract, action, quantity, factor in legs
        ),
    )


def _limit(
    contract: Contract, action: Action, quantity: int, price: Decimal, force: TimeInForce
) -> Ticket:
    return Ticket(
        type=OrderType.LIMIT,
        time_in_force=force,
        price=price,
        legs=(
            TicketLeg(
                symbol=contract.symbol,
                kind=contract.kind.value,
                action=action,
                quantity=Decimal(quantity),
            ),
        ),
        source="history",
    )


def trading_time(venue: Venue, today: date, days_ago: int, hour: int, minute: int = 30) -> datetime:
    """Returns an instant of the last trading day that is at least so many days ago."""
    day = today - timedelta(days=days_ago)
    while not venue.is_trading_day(day):
        day -= timedelta(days=1)

    return datetime.combine(day, time(hour, minute), NEW_YORK)
