"""Keeps the books and positions of one brokerage account.

Trades, deposits and expirations are booked here and nowhere else: each writes one transaction and
changes one position. An account knows no prices; callers bring them.
"""

from __future__ import annotations

__all__ = ["Account", "Profile"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from server.simulator.exchange import descriptions
from server.simulator.exchange.clock import new_york_date
from server.simulator.exchange.contracts import Contract
from server.simulator.exchange.fees import Fees
from server.simulator.exchange.ledger import Ledger, Origin, Posting, Transaction
from server.simulator.exchange.money import ZERO, round_cents
from server.simulator.exchange.positions import (
    Position,
    TradeOutcome,
    apply_trade,
    make_flat_position,
)
from server.simulator.exchange.realized_gains import YearGains
from server.simulator.exchange.vocabulary import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Holds what does not change about an account."""

    number: str
    margin: bool
    nickname: str
    owner_id: str
    opened_at: datetime
    options_level: str
    futures: bool


class Account:
    """Holds the books and positions of one account."""

    def __init__(self, profile: Profile, next_transaction: Callable[[], int]) -> None:
        self.profile = profile
        self.ledger = Ledger()
        self.gains = YearGains()
        self._positions: dict[str, Position] = {}
        self._next_transaction = next_transaction
        self.updated_at = profile.opened_at
        self.next_expiry: datetime | None = None
        """Earliest expiration of any position; None while no position expires."""

    @property
    def number(self) -> str:
        return self.profile.number

    @property
    def positions(self) -> Mapping[str, Position]:
        """Open positions, and those closed since the day began."""
        return self._positions

    def held(self, symbol: str) -> Decimal:
        """Returns the signed quantity held of a symbol."""
        position = self._positions.get(symbol)
        return position.quantity if position else ZERO

    def move_money(
        self, amount: Decimal, *, sub_type: str, description: str, at: datetime
    ) -> Transaction:
        """Books a cash movement without a trade; positive is a deposit."""
        return self._post(
            "Money Movement",
            sub_type,
            description,
            at=at,
            value=amount,
            postings=(("cash", amount), ("external", -amount)),
        )

    def trade(
        self,
        contract: Contract,
        action: Action,
        quantity: Decimal,
        price: Decimal,
        *,
        fees: Fees,
        at: datetime,
        origin: Origin | None = None,
    ) -> Transaction:
        """Books a purchase or sale; `fees` are charged as given, in cents."""
        return self._book_trade(
            contract,
            action.side * quantity,
            price,
            type_="Trade",
            sub_type=action.value,
            description=descriptions.describe_trade(contract, action, quantity, price),
            action=action,
            fees=fees,
            at=at,
            origin=origin,
        )

    def remove_position(
        self, symbol: str, price: Decimal, *, sub_type: str, at: datetime
    ) -> Transaction:
        """Closes a whole position at a price: an expiration, an exercise or an assignment."""
        position = self._positions[symbol]
        removed = position.quantity
        return self._book_trade(
            position.contract,
            -removed,
            price,
            type_="Receive Deliver",
            sub_type=sub_type,
            description=descriptions.describe_removal(position.contract, abs(removed), sub_type),
            action=Action.SELL_TO_CLOSE if removed > 0 else Action.BUY_TO_CLOSE,
            fees=Fees(),
            at=at,
        )

    def deliver(
        self, contract: Contract, change: Decimal, price: Decimal, *, sub_type: str, at: datetime
    ) -> Transaction:
        """Books shares received or delivered at a strike because of an exercised option."""
        held = self.held(contract.symbol)
        closes = held * change < 0
        action = {
            (True, True): Action.BUY_TO_CLOSE,
            (True, False): Action.BUY_TO_OPEN,
            (False, True): Action.SELL_TO_CLOSE,
            (False, False): Action.SELL_TO_OPEN,
        }[change > 0, closes]
        return self._book_trade(
            contract,
            change,
            price,
            type_="Receive Deliver",
            sub_type=sub_type,
            description=descriptions.describe_delivery(contract, action, abs(change), price),
            action=action,
            fees=Fees(),
            at=at,
        )

    def settle_variation(self, symbol: str, price: Decimal, *, at: datetime) -> Transaction | None:
        """Books a future's gain or loss since its last settlement; None if there is none."""
        position = self._positions[symbol]
        market_value = round_cents(price * position.quantity * position.contract.multiplier)
        gain = market_value - position.cost
        settled = position.mark_to_close(price)
        self._positions[symbol] = _with_cost(settled, market_value)
        if not gain:
            return None

        return self._post(
            "Money Movement",
            "Mark to Market",
            descriptions.describe_variation(position.contract, price),
            at=at,
            value=gain,
            postings=(("cash", gain), ("variation", -gain)),
            contract=position.contract,
        )

    def update_next_expiry(self) -> None:
        """Finds the earliest expiration again, after something has expired."""
        ends = [
            position.contract.expires_at
            for position in self._positions.values()
            if position.quantity and position.contract.expires_at is not None
        ]
        self.next_expiry = min(ends, default=None)

    def start_day(self, marks: Mapping[str, Decimal]) -> None:
        """Drops closed positions and values the others at the last close."""
        self._positions = {
            symbol: position.mark_to_close(marks[symbol]) if symbol in marks else position
            for symbol, position in self._positions.items()
            if position.quantity
        }

    def _book_trade(
        self,
        contract: Contract,
        change: Decimal,
        price: Decimal,
        *,
        type_: str,
        sub_type: str,
        description: str,
        action: Action,
        fees: Fees,
        at: datetime,
        origin: Origin | None = None,
    ) -> Transaction:
        before = self._positions.get(contract.symbol) or make_flat_position(contract, at)
        after, outcome = apply_trade(
            before,
            change,
            price,
            at=at,
            day=new_york_date(at),
            order_id=origin.order_id if origin else None,
        )
        self._positions[contract.symbol] = after
        ends = contract.expires_at
        if ends is not None and (self.next_expiry is None or ends < self.next_expiry):
            self.next_expiry = ends

        value, postings = _make_postings(contract, outcome)
        return self._post(
            type_,
            sub_type,
            description,
            at=at,
            value=value,
            postings=postings + _make_fee_postings(fees),
            fees=fees,
            contract=contract,
            action=action,
            quantity=abs(change),
            price=price,
            origin=origin,
        )

    def _post(
        self,
        type_: str,
        sub_type: str,
        description: str,
        *,
        at: datetime,
        value: Decimal,
        postings: tuple[Posting, ...],
        fees: Fees | None = None,
        contract: Contract | None = None,
        action: Action | None = None,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        origin: Origin | None = None,
    ) -> Transaction:
        transaction = Transaction(
            id=self._next_transaction(),
            account_number=self.number,
            type=type_,
            sub_type=sub_type,
            description=description,
            executed_at=at,
            created_at=at,
            day=new_york_date(at),
            value=value,
            postings=postings,
            fees=fees or Fees(),
            contract=contract,
            action=action,
            quantity=quantity,
            price=price,
            origin=origin,
        )
        self.ledger.post(transaction)
        self.gains.add(transaction)
        self.updated_at = max(self.updated_at, at)
        return transaction


def _make_postings(
    contract: Contract, outcome: TradeOutcome
) -> tuple[Decimal, tuple[Posting, ...]]:
    # A future costs nothing to open and pays its gain when closed; all else is paid in full.
    if contract.pays_variation:
        gain = outcome.realized
        return gain, (("cash", gain), ("realized", -gain))

    value = outcome.realized - outcome.cost_change
    return value, (
        ("cash", value),
        ("positions", outcome.cost_change),
        ("realized", -outcome.realized),
    )


def _make_fee_postings(fees: Fees) -> tuple[Posting, ...]:
    if not fees.total:
        return ()

    return (
        ("cash", -fees.total),
        ("commission", fees.commission),
        ("clearing", fees.clearing),
        ("regulatory", fees.regulatory),
        ("index", fees.index),
    )


def _with_cost(position: Position, cost: Decimal) -> Position:
    return replace(position, cost=cost)
