"""Settles the end of trading days and of contracts: variation, exercise, assignment, expiration.

An option that is at least a cent in the money when it expires is exercised or assigned, in cash if
it is on an index or a future; any other is removed as worthless. Futures pay their variation at the
end of every day and are closed at the last mark when they expire.
"""

from __future__ import annotations

__all__ = ["Settlement"]

from datetime import datetime
from decimal import Decimal

from server.simulator.exchange.account import Account
from server.simulator.exchange.clock import Clock
from server.simulator.exchange.contracts import Contract, Venue
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.money import CENT, ZERO
from server.simulator.exchange.notifier import Notifier
from server.simulator.exchange.positions import Position
from server.simulator.exchange.registry import Registry
from server.simulator.exchange.vocabulary import InstrumentType


class Settlement:
    """Ends trading days and removes expired contracts from the books."""

    def __init__(self, registry: Registry, venue: Venue, clock: Clock, notifier: Notifier) -> None:
        self._registry = registry
        self._venue = venue
        self._notifier = notifier
        self._session_ends_at = venue.session_end(clock.now())

    def step(self, now: datetime) -> None:
        """Carries out what is due: expirations first, then the ends of days."""
        for account in self._registry.accounts.values():
            if account.next_expiry is not None and account.next_expiry <= now:
                self._expire(account, now)
                account.update_next_expiry()

        while self._session_ends_at <= now:
            ended = self._session_ends_at
            for account in self._registry.accounts.values():
                self._end_day(account, ended)

            self._session_ends_at = self._venue.session_end(ended)

    def _expire(self, account: Account, now: datetime) -> None:
        marks = Marks(self._venue)
        for position in list(account.positions.values()):
            at = position.contract.expires_at
            if position.quantity and at is not None and at <= now:
                self._close_out(account, position, marks, at)

    def _close_out(self, account: Account, position: Position, marks: Marks, at: datetime) -> None:
        contract = position.contract
        symbol = contract.symbol
        if contract.instrument_type is InstrumentType.FUTURE:
            account.remove_position(symbol, marks.mark(contract), sub_type="Cash Settlement", at=at)
            self._notifier.publish_position(account, symbol)
            return

        value = _intrinsic_value(contract, marks.spot(contract))
        if value < CENT:
            account.remove_position(symbol, ZERO, sub_type="Expiration", at=at)
            self._notifier.publish_position(account, symbol)
            return

        long = position.quantity > 0
        how = "Exercise" if long else "Assignment"
        stock = self._venue.find(contract.underlying)
        in_cash = (
            contract.instrument_type is InstrumentType.FUTURE_OPTION
            or contract.underlying_instrument_type is InstrumentType.INDEX
            or stock is None
        )
        if in_cash or stock is None:
            account.remove_position(symbol, value, sub_type=f"Cash Settled {how}", at=at)
            self._notifier.publish_position(account, symbol)
            return

        account.remove_position(symbol, ZERO, sub_type=how, at=at)
        side = 1 if bool(contract.call) == long else -1
        shares = abs(position.quantity) * contract.multiplier * side
        account.deliver(stock, shares, contract.strike or ZERO, sub_type=how, at=at)
        self._notifier.publish_position(account, symbol)
        self._notifier.publish_position(account, stock.symbol)

    def _end_day(self, account: Account, at: datetime) -> None:
        marks = Marks(self._venue)
        for position in list(account.positions.values()):
            if position.quantity and position.contract.pays_variation:
                contract = position.contract
                account.settle_variation(contract.symbol, marks.mark(contract), at=at)

        account.start_day(
            {
                symbol: marks.mark(position.contract)
                for symbol, position in account.positions.items()
                if not position.contract.pays_variation
            }
        )


def _intrinsic_value(contract: Contract, spot: Decimal) -> Decimal:
    strike = contract.strike or ZERO
    return max(ZERO, spot - strike if contract.call else strike - spot)
