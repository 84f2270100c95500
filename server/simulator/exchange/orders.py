"""An order and its life: what was asked for (`Ticket`), and how far it has come (`Order`).

Received → Routed → In Flight → Live → Filled, Cancelled, Expired or Rejected. Cancel Requested and
Replace Requested lie between Live and Cancelled, and a fill may still come in them. Prices are
signed here: a credit is positive.
"""

from __future__ import annotations

__all__ = ["DEFAULT_SCRIPT", "Fill", "Leg", "Order", "Script", "Ticket", "TicketLeg"]

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from server.simulator.exchange.contracts import Contract
from server.simulator.exchange.fees import Fees
from server.simulator.exchange.money import ZERO
from server.simulator.exchange.vocabulary import Action, OrderType, Status, TimeInForce

Behaviour = Literal["immediate", "never", "reject", "partial", "delayed", "scheduled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What the exchange does with an order instead of asking the market.

    An order brings one in its `behavior`, `delay` and `schedule` fields (the words of the SDK's
    paper broker; `immediate`, which the SDK sends with every order, means the market decides), or
    the simulator's admin route lays one ready for the orders that come next.

    | behaviour | what happens |
    |---|---|
    | immediate | the market decides (the default) |
    | never | stays Live whatever the market does |
    | reject | Rejected at the exchange, with `reason` |
    | partial | half at once, the rest after `delay` |
    | delayed | nothing for `delay`, then filled |
    | scheduled | nothing until `schedule`, then filled |
    """

    behaviour: Behaviour = "immediate"
    delay: timedelta = timedelta(seconds=1)
    schedule: datetime | None = None
    reason: str = "Rejected by the exchange"


DEFAULT_SCRIPT = Script()


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLeg:
    """One leg as it was asked for."""

    symbol: str
    instrument_type: str
    action: Action
    quantity: Decimal | None
    """None in a notional order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """An order request that could be read; whether it is allowed is another question."""

    type: OrderType
    time_in_force: TimeInForce
    legs: tuple[TicketLeg, ...]
    price: Decimal | None = None
    """Signed, per unit: a debit is negative."""

    stop_trigger: Decimal | None = None
    value: Decimal | None = None
    """Signed amount of a notional order."""

    gtc_date: date | None = None
    strict: bool = False
    """A closing leg without a position is refused instead of turned into an opening one."""

    source: str | None = None
    external_identifier: str | None = None
    preflight_id: str | None = None
    partition_key: str | None = None
    script: Script = DEFAULT_SCRIPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution of one leg."""

    id: str
    exec_id: str
    group_id: str
    quantity: Decimal
    price: Decimal
    at: datetime
    venue: str


@dataclass(slots=True, kw_only=True)
class Leg:
    """One leg of an order at work."""

    contract: Contract
    action: Action
    quantity: Decimal | None
    """None in a notional order until its price is known."""

    remaining: Decimal
    fills: list[Fill] = field(default_factory=list)
    charged: Fees = field(default_factory=Fees)
    """What its fills have paid so far, so that later ones pay only the difference."""

    traded_value: Decimal = ZERO

    @property
    def filled(self) -> Decimal:
        return sum((fill.quantity for fill in self.fills), ZERO)


@dataclass(slots=True, kw_only=True)
class Order:
    """One order of an account."""

    id: int
    account_number: str
    ticket: Ticket
    legs: list[Leg]
    received_at: datetime
    updated_at: datetime
    status: Status = Status.RECEIVED
    open_units: Decimal = ZERO
    """Units not yet executed; legs are booked a moment later, one after the other."""

    due: datetime | None = None
    """When the next step of its life is taken; None while it waits for something else."""

    expires_at: datetime | None = None
    in_flight_at: datetime | None = None
    live_at: datetime | None = None
    cancelled_at: datetime | None = None
    terminal_at: datetime | None = None
    reject_reason: str | None = None
    cancel_user: str | None = None
    units_at_replace: Decimal = ZERO
    """`open_units` when a replace was asked for: fewer later mean that a fill slipped in."""

    edited: bool = False
    replaces: int | None = None
    replacing: int | None = None
    """The order that is to take this one's place."""

    complex_id: int | None = None
    complex_tag: str | None = None
    reserved: Decimal = ZERO
    """Buying power that it binds while it works; set by `Registry.bind` alone."""

    triggered: bool = False
    """A stop that has been touched works as a market or limit order from then on."""

    ready_at: datetime | None = None
    """Before this it is not matched: a script's delay."""

    client_order_id: str | None = None
    exchange_number: int | None = None

    @property
    def type(self) -> OrderType:
        return self.ticket.type

    @property
    def size(self) -> Decimal:
        """The number of units: a 2 by 4 spread is 2 units of 1 by 2."""
        return count_units([leg.quantity for leg in self.legs if leg.quantity is not None])

    def ratio(self, leg: Leg) -> Decimal:
        """How many of a leg's contracts belong to one unit of the order."""
        return leg.quantity / self.size if leg.quantity else Decimal(1)

    @property
    def has_fills(self) -> bool:
        return any(leg.fills for leg in self.legs)

    @property
    def cancellable(self) -> bool:
        return not self.status.terminal and self.status not in (
            Status.CANCEL_REQUESTED,
            Status.REPLACE_REQUESTED,
        )

    @property
    def editable(self) -> bool:
        return self.cancellable and self.type is not OrderType.NOTIONAL_MARKET

    @property
    def underlying(self) -> Contract:
        return self.legs[0].contract

    def set_status(self, status: Status, at: datetime) -> None:
        """Takes the order to another status and stamps it; a terminal one is never left."""
        if self.status.terminal:
            raise ValueError(f"order {self.id} is {self.status} and stays so")

        self.status = status
        self.updated_at = max(self.updated_at, at)
        self.due = None
        match status:
            case Status.IN_FLIGHT:
                self.in_flight_at = at
            case Status.LIVE if self.live_at is None:
                self.live_at = at
            case Status.CANCELLED:
                self.cancelled_at = at

        if status.terminal:
            self.terminal_at = at


def count_units(quantities: Sequence[Decimal]) -> Decimal:
    """Returns the greatest number of equal units that quantities can be cut into."""
    if not quantities:
        return ZERO

    if any(quantity != int(quantity) for quantity in quantities):
        return quantities[0]

    return Decimal(math.gcd(*(int(quantity) for quantity in quantities)))
