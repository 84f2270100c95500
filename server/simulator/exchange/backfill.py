"""Writes an account's past: deposits, trades, expirations and orders that ended, in time order.

They go through the same books as today's fills, so that history, cash, positions and realized
gains agree from the first request on. Prices of the past are today's times a factor: the market
has no memory of the trades of people who were not there.
"""

from __future__ import annotations

__all__ = ["Deposit", "EndedOrder", "Expired", "PastEvent", "PastTrade", "write"]

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from server.simulator.exchange.account import Account
from server.simulator.exchange.contracts import Contract
from server.simulator.exchange.fees import fees_of
from server.simulator.exchange.ledger import Origin
from server.simulator.exchange.money import ZERO
from server.simulator.exchange.orders import Fill, Leg, Order, Ticket, TicketLeg
from server.simulator.exchange.registry import Registry
from server.simulator.exchange.vocabulary import CLOSING, Action, OrderType, Status, TimeInForce

VENUE = "MARKET_SIMULATOR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """Money that came."""

    at: datetime
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTrade:
    """An order that was filled; the legs' prices are given, the order's price is their net."""

    at: datetime
    legs: tuple[tuple[Contract, Action, Decimal, Decimal], ...]
    """Contract, action, quantity, price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedOrder:
    """An order that was cancelled or rejected, and traded nothing."""

    at: datetime
    contract: Contract
    action: Action
    quantity: Decimal
    price: Decimal
    status: Status
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """The end of an option that expired worthless."""

    at: datetime
    symbol: str


PastEvent = Deposit | PastTrade | EndedOrder | Expired


def write(account: Account, registry: Registry, events: Iterable[PastEvent]) -> None:
    """Books events, oldest first."""
    for event in sorted(events, key=lambda one: one.at):
        match event:
            case Deposit():
                account.move_money(
                    event.amount, sub_type="Deposit", description="Cash deposit", at=event.at
                )
            case PastTrade():
                _trade(account, registry, event)
            case EndedOrder():
                _ended(account, registry, event)
            case Expired():
                account.remove(event.symbol, ZERO, sub_type="Expiration", at=event.at)


def _trade(account: Account, registry: Registry, trade: PastTrade) -> None:
    net = sum((-action.side * price * quantity for _, action, quantity, price in trade.legs), ZERO)
    order = _order(
        account,
        registry,
        at=trade.at,
        legs=[(contract, action, quantity) for contract, action, quantity, _ in trade.legs],
        price=ZERO,
    )
    order.ticket = replace(order.ticket, price=net / order.size)
    filled_at = trade.at + timedelta(milliseconds=640)
    group = f"{order.id}-{registry.next_execution()}"
    for leg, (contract, action, quantity, price) in zip(order.legs, trade.legs, strict=True):
        execution = f"{registry.next_execution()}"
        fees = fees_of(
            contract,
            quantity,
            buys=action.side > 0,
            opens=action not in CLOSING,
            value=price * quantity * contract.multiplier,
        ).charged()
        account.trade(
            contract,
            action,
            quantity,
            price,
            fees=fees,
            at=filled_at,
            origin=Origin(order_id=order.id, exec_id=execution, leg_count=len(order.legs)),
        )
        leg.remaining, leg.charged = ZERO, fees
        leg.fills.append(
            Fill(
                id=f"{order.id}_{execution}",
                exec_id=execution,
                group_id=group,
                quantity=quantity,
                price=price,
                at=filled_at,
                venue=VENUE,
            )
        )

    order.open_units = ZERO
    _finish(order, registry, Status.FILLED, filled_at)


def _ended(account: Account, registry: Registry, past: EndedOrder) -> None:
    order = _order(
        account,
        registry,
        at=past.at,
        legs=[(past.contract, past.action, past.quantity)],
        price=-past.action.side * past.price,
    )
    order.reject_reason = past.reason
    # A rejected order never was live.
    _finish(order, registry, past.status, past.at + timedelta(seconds=27, milliseconds=155))


def _finish(order: Order, registry: Registry, status: Status, at: datetime) -> None:
    if status is not Status.REJECTED:
        order.move(Status.IN_FLIGHT, order.received_at + timedelta(milliseconds=15))
        order.move(Status.LIVE, order.received_at + timedelta(milliseconds=40))
        order.exchange_number = 10_000_000 + order.id
        order.client_order_id = f"SIM{order.id:015X}"

    order.move(status, at)
    registry.add(order)


def _order(
    account: Account,
    registry: Registry,
    *,
    at: datetime,
    legs: list[tuple[Contract, Action, Decimal]],
    price: Decimal,
) -> Order:
    order = Order(
        id=registry.next_order(),
        account_number=account.number,
        ticket=Ticket(
            type=OrderType.LIMIT,
            time_in_force=TimeInForce.DAY,
            price=price,
            source="history",
            legs=tuple(
                TicketLeg(
                    symbol=contract.symbol,
                    kind=contract.kind.value,
                    action=action,
                    quantity=quantity,
                )
                for contract, action, quantity in legs
            ),
        ),
        legs=[
            Leg(contract=contract, action=action, quantity=quantity, remaining=quantity)
            for contract, action, quantity in legs
        ],
        received_at=at,
        updated_at=at,
    )
    order.open_units = order.size
    return order
