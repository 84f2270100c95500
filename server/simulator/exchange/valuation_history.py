"""Calculates what an account was worth in the past, by replaying its journal.

The simulated market keeps no price history for accounts, so a contract is valued on the straight
line between the prices at which the account traded it and its mark now. Cash and quantities of a
past day are exact; the value ends at today's net liquidating value.
"""

from __future__ import annotations

__all__ = ["Bar", "ValuationHistory"]

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from server.simulator.exchange.account import Account
from server.simulator.exchange.balances import Balances, calculate_balances
from server.simulator.exchange.clock import NEW_YORK
from server.simulator.exchange.contracts import Contract, TopOfBook, Venue
from server.simulator.exchange.ledger import Transaction
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.money import ZERO, round_cents
from server.simulator.exchange.positions import Position, apply_trade, make_flat_position

CLOSE = time(16, 0)
OPEN = time(9, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Holds the net liquidating value over one interval."""

    at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


class ValuationHistory:
    """Values one account at instants in the past."""

    def __init__(self, account: Account, venue: Venue, now: datetime) -> None:
        self._account = account
        self._venue = venue
        self._now = now
        self._journal: list[Transaction] = [
            one for one in account.ledger.journal if one.executed_at <= now
        ]
        self._paths: dict[str, list[tuple[float, Decimal]]] = {}
        marks = Marks(venue)
        for transaction in self._journal:
            contract, price = transaction.contract, transaction.price
            if contract is not None and price is not None:
                path = self._paths.setdefault(contract.symbol, [])
                path.append((transaction.executed_at.timestamp(), price))

        marks.load(one.contract for one in account.positions.values() if one.quantity)
        for position in account.positions.values():
            if position.quantity:
                path = self._paths.setdefault(position.contract.symbol, [])
                path.append((now.timestamp(), marks.mark(position.contract)))

    def balances_on(self, day: date, time_of_day: str) -> Balances:
        """Returns the balances at the beginning or the end of a day."""
        at = datetime.combine(day, OPEN if time_of_day == "BOD" else CLOSE, NEW_YORK)
        return self.balances_at(min(at, self._now))

    def balances_at(self, at: datetime) -> Balances:
        """Returns the balances at an instant."""
        replay = _JournalReplay(self._journal)
        replay.advance_to(at)
        marks = Marks(_HistoricalVenue(self._venue, self, at))
        return calculate_balances(
            self._account, marks, positions=replay.positions, cash=replay.cash
        )

    def bars(self, start: datetime, step: timedelta) -> list[Bar]:
        """Returns bars from an instant until now, oldest first."""
        first = max(start, self._account.profile.opened_at)
        bars: list[Bar] = []
        replay = _JournalReplay(self._journal)
        opening = self._value(replay, first)
        at = first
        while at < self._now:
            end = min(at + step, self._now)
            middle = self._value(replay, at + (end - at) / 2)
            closing = self._value(replay, end)
            values = (opening, middle, closing)
            bars.append(Bar(at=at, open=opening, high=max(values), low=min(values), close=closing))
            opening, at = closing, end

        return bars

    def price(self, symbol: str, at: datetime) -> Decimal:
        """Returns the price of a contract at an instant."""
        path = self._paths.get(symbol)
        if not path:
            return ZERO

        moment = at.timestamp()
        place = bisect_right(path, (moment, Decimal("Infinity")))
        if place == 0:
            return path[0][1]

        if place == len(path):
            return path[-1][1]

        (before, low), (after, high) = path[place - 1], path[place]
        share = Decimal((moment - before) / (after - before)) if after > before else Decimal(1)
        return (low + (high - low) * share).quantize(Decimal("0.0001"))

    def _value(self, replay: _JournalReplay, at: datetime) -> Decimal:
        replay.advance_to(at)
        value = replay.cash
        for position in replay.positions.values():
            contract = position.contract
            market_value = self.price(contract.symbol, at) * position.quantity * contract.multiplier
            value += market_value - position.cost if contract.pays_variation else market_value

        return round_cents(value)


class _JournalReplay:
    """Replays a journal forwards."""

    def __init__(self, journal: Sequence[Transaction]) -> None:
        self._journal = journal
        self._next = 0
        self.positions: dict[str, Position] = {}
        self.cash = ZERO

    def advance_to(self, at: datetime) -> None:
        """Books everything up to an instant; instants must not go backwards."""
        while self._next < len(self._journal):
            transaction = self._journal[self._next]
            if transaction.executed_at > at:
                return

            self._next += 1
            self._book(transaction)

    def _book(self, transaction: Transaction) -> None:
        self.cash += transaction.net_value
        contract, price = transaction.contract, transaction.price
        if contract is None:
            return

        held = self.positions.get(contract.symbol) or make_flat_position(
            contract, transaction.executed_at
        )
        if transaction.action is None or transaction.quantity is None or price is None:
            # A future's variation was paid: gains are calculated from here.
            after = replace(held, cost=held.cost + transaction.value)
        else:
            change = transaction.action.side * transaction.quantity
            after, _ = apply_trade(
                held, change, price, at=transaction.executed_at, day=transaction.day
            )

        self.positions[contract.symbol] = after


class _HistoricalVenue:
    """Provides the prices of an instant in the account's past."""

    def __init__(self, venue: Venue, history: ValuationHistory, at: datetime) -> None:
        self._venue = venue
        self._history = history
        self._at = at

    def find(self, symbol: str) -> Contract | None:
        return self._venue.find(symbol)

    def tops(self, contracts: Sequence[Contract]) -> list[TopOfBook]:
        return [self._top(contract) for contract in contracts]

    def closes(self, contracts: Sequence[Contract]) -> list[Decimal | None]:
        return [self._top(contract).mark for contract in contracts]

    def _top(self, contract: Contract) -> TopOfBook:
        price = self._history.price(contract.symbol, self._at)
        if not price:
            # This account never traded it: an underlying, which is valued at its current price.
            return self._venue.tops([contract])[0]

        return TopOfBook(bid=price, ask=price, last=price)

    def is_open(self, contract: Contract) -> bool:
        return self._venue.is_open(contract)

    def session_end(self, moment: datetime) -> datetime:
        return self._venue.session_end(moment)

    def is_trading_day(self, day: date) -> bool:
        return self._venue.is_trading_day(day)

    def nearest_option(
        self, underlying: str, day: date, strike: Decimal, *, call: bool
    ) -> Contract | None:
        return self._venue.nearest_option(underlying, day, strike, call=call)
