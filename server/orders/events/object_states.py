"""Reads the states of an account's objects from notifications and from replies, in one form.

`digests` makes a state recognisable, so that one that is notified twice, or notified and found by
asking, is one event.
"""

from __future__ import annotations

__all__ = [
    "EventKind",
    "ObjectState",
    "state_of_alert",
    "state_of_balances",
    "state_of_closing",
    "state_of_order",
    "state_of_position",
]

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from server.brokerage.api.balances import read_balances
from server.brokerage.api.json_reader import JsonReader, ParseFaults, Unreadable
from server.brokerage.api.order_replies import read_complex_order
from server.brokerage.api.orders import Order, read_order
from server.brokerage.api.positions import read_position
from server.brokerage.streaming.alert import Alert
from server.orders.events.digests import CURRENT, AccountObject, digest_of

Raw = Mapping[str, Any]


class EventKind(StrEnum):
    """What an event is about."""

    ORDER = "order"
    FILL = "fill"
    COMPLEX_ORDER = "complex"
    BALANCE = "balance"
    POSITION = "position"


@dataclass(frozen=True, slots=True, kw_only=True)
class FillKey:
    """One execution of an order, as the log knows it."""

    fill_id: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectState:
    """One object after a change."""

    kind: EventKind
    account_number: str
    name: str
    """What the object is known by in its account."""
    stamp: int
    """Milliseconds of its last change: an older state never follows a newer one."""
    value: AccountObject
    body: Raw
    at: datetime | None
    fills: tuple[FillKey, ...] = ()
    working: bool = False
    """An order that may still change, or an open position."""

    def digest(self, version: str = CURRENT) -> str:
        """Returns what the state is recognised by."""
        return digest_of(self.value, self.stamp, version)


def state_of_alert(alert: Alert, faults: ParseFaults) -> ObjectState | None:
    """Returns the state in a notification; None for kinds that are no account events."""
    try:
        match alert.kind:
            case "Order":
                return state_of_order(alert.data, faults)
            case "ComplexOrder":
                return _complex(alert.data, faults)
            case "CurrentPosition":
                return state_of_position(alert.data, faults, sent_at=alert.sent_at)
            case "AccountBalance":
                return state_of_balances(alert.data, faults, sent_at=alert.sent_at)
            case _:
                return None
    except Unreadable:
        return None


def state_of_order(raw: Raw, faults: ParseFaults) -> ObjectState:
    """Returns the state of an order; raises Unreadable."""
    order = read_order(JsonReader(raw, faults, "order"))
    return ObjectState(
        kind=EventKind.ORDER,
        account_number=order.account_number or "",
        name=order.id,
        stamp=_stamp(order.updated_at),
        value=order,
        body=raw,
        at=order.updated_at,
        fills=_fills(order),
        working=not order.is_terminal,
    )


def state_of_position(
    raw: Raw, faults: ParseFaults, *, sent_at: datetime | None = None
) -> ObjectState:
    """Returns the state of a position; raises Unreadable."""
    position = read_position(JsonReader(raw, faults, "position"))
    at = position.updated_at or sent_at
    return ObjectState(
        kind=EventKind.POSITION,
        account_number=position.account_number,
        name=position.symbol,
        stamp=_stamp(at),
        value=position,
        body=raw,
        at=at,
        working=bool(position.quantity) and position.sign != 0,
    )


def state_of_balances(
    raw: Raw, faults: ParseFaults, *, sent_at: datetime | None = None
) -> ObjectState:
    """Returns the state of the balances."""
    balances = read_balances(JsonReader(raw, faults, "balances"))
    at = balances.updated_at or sent_at
    return ObjectState(
        kind=EventKind.BALANCE,
        account_number=balances.account_number,
        name="USD",
        stamp=_stamp(at),
        value=balances,
        body=raw,
        at=at,
    )


def state_of_closing(last: Raw, at: datetime) -> ObjectState:
    """Returns the state of a position that is gone, made of its last known one."""
    gone = {**last, "quantity": 0, "quantity-direction": "Zero", "updated-at": at.isoformat()}
    return state_of_position(gone, ParseFaults())


def _complex(raw: Raw, faults: ParseFaults) -> ObjectState:
    whole = read_complex_order(JsonReader(raw, faults, "complex order"))
    stamps = [_stamp(part.updated_at) for part in whole.parts]
    changed = [part.updated_at for part in whole.parts if part.updated_at is not None]
    return ObjectState(
        kind=EventKind.COMPLEX_ORDER,
        account_number=whole.account_number or "",
        name=whole.id,
        stamp=max(stamps, default=0),
        value=whole,
        body=raw,
        at=max(changed, default=None),
        working=whole.terminal_at is None,
    )


def _fills(order: Order) -> tuple[FillKey, ...]:
    found = [
        FillKey(fill_id=fill.fill_id, at=fill.filled_at)
        for leg in order.legs
        for fill in leg.fills
        if fill.fill_id
    ]
    return tuple(sorted(found, key=lambda fill: (_stamp(fill.at), fill.fill_id)))


def _stamp(at: datetime | None) -> int:
    return 0 if at is None else int(at.timestamp() * 1000)
