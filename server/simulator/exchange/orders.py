"""Defines the order ticket (what was requested) and the order (how far it has come).

Received → Routed → In Flight → Live → Filled, Cancelled, Expired or Rejected. Cancel Requested and
Replace Requested lie between Live and Cancelled, and a fill may still come while they last. Prices
are signed here: a credit is positive.
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
    """Makes the exchange treat an order in a given way instead of asking the market.

    An order brings a script in its `behavior`, `delay` and `schedule` fields (the words of the
    SDK's paper broker; `immediate`, which the SDK sends with every order, means the market
    decides), or the simulator's admin route queues one for the orders that come next.

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
    """Describes one leg as it was requested."""

    symbol: str
    instrument_type: str
    action: Action
    quantity: Decimal | None
    """None in a notional order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Holds an order request that could be parsed; whether it is allowed is checked later."""

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
    """True: a closing leg without a position is refused, not turned into an opening one."""

    source: str | None = None
    external_identifier: str | None = None
    preflight_id: str | None = None
    partition_key: str | None = None
    script: Script = DEFAULT_SCRIPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """Records one execution of one leg."""

    id: str
    exec_id: str
    group_id: str
    quantity: Decimal
    price: Decimal
    at: datetime
    venue: str


@dataclass(slots=True, kw_only=True)
class Leg:
    """Tracks one leg of an order."""

    contract: Contract
    action: Action
    quantity: Decimal | None
    """None in a notional order until its price is known."""

    remaining: Decimal
    fills: list[Fill] = field(default_factory=list)
    charged: Fees = field(default_factory=Fees)
    """Fees charged so far, so that later fills pay only the difference."""

    traded_value: Decimal = ZERO

    @property
    def filled(self) -> Decimal:
        return sum((fill.quantity for fill in self.fills), ZERO)


@dataclass(slots=True, kw_only=True)
class Order:
    """Tracks one order of an account."""

    id: int
    account_number: str
    ticket: Ticket
    legs: list[Leg]
    received_at: datetime
    updated_at: datetime
    status: Status = Status.RECEIVED
    open_units: Decimal = ZERO
    """Units not yet executed; their legs are booked a moment later, one after the other."""

    due: datetime | None = None
    """When the next step of its life is due; None while it waits for something else."""

    expires_at: datetime | None = None
    in_flight_at: datetime | None = None
    live_at: datetime | None = None
    cancelled_at: datetime | None = None
    terminal_at: datetime | None = None
    reject_reason: str | None = None
    cancel_user: str | None = None
    units_at_replace: Decimal = ZERO
    """`open_units` when the replace was requested: fewer later mean that a fill came first."""

    edited: bool = False
    replaces: int | None = None
    replacing: int | None = None
    """Id of the order that will replace this one."""

    complex_id: int | None = None
    complex_tag: str | None = None
    reserved: Decimal = ZERO
    """Buying power that it reserves while it works; set by `Registry.reserve` alone."""

    triggered: bool = False
    """True once a stop was triggered: it then works as a market or limit order."""

    ready_at: datetime | None = None
    """The order is not matched before this instant."""

    client_order_id: str | None = None
    exchange_number: int | None = None

    @property
    def type(self) -> OrderType:
        return self.ticket.type

    @property
    def size(self) -> Decimal:
        """Number of units: a 2 by 4 spread is 2 units of 1 by 2."""
        return count_units([leg.quantity for leg in self.legs if leg.quantity is not None])

    def ratio(self, leg: Leg) -> Decimal:
        """Returns how many of a leg's contracts belong to one unit of the order."""
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
        """Moves the order to another status and stamps it; a terminal status is final."""
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
    """Returns the greatest number of equal units that the quantities divide into."""
    if not quantities:
        return ZERO

    if any(quantity != int(quantity) for quantity in quantities):
        return quantities[0]

    return Decimal(math.gcd(*(int(quantity) for quantity in quantities)))
