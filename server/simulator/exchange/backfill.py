"""Books an account's history: deposits, trades, expirations and finished orders, in time order.

They pass through the same books as today's fills, so that history, cash, positions and realized
gains agree from the first request on. Past prices are today's times a factor, because the simulated
market keeps no price history.
"""

from __future__ import annotations

__all__ = [
    "Deposit",
    "ExpiredOption",
    "FilledOrder",
    "HistoryEvent",
    "UnfilledOrder",
    "backfill_account",
]

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from server.simulator.exchange.account import Account
from server.simulator.exchange.contracts import Contract
from server.simulator.exchange.fees import calculate_fees
from server.simulator.exchange.ledger import Origin
from server.simulator.exchange.money import ZERO
from server.simulator.exchange.orders import Fill, Leg, Order, Ticket, TicketLeg
from server.simulator.exchange.registry import Registry
from server.simulator.exchange.vocabulary import CLOSING, Action, OrderType, Status, TimeInForce

VENUE = "MARKET_SIMULATOR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """Describes a deposit."""

    at: datetime
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledOrder:
    """Describes a filled order by the prices of its legs; its own price is their net."""

    at: datetime
    legs: tuple[tuple[Contract, Action, Decimal, Decimal], ...]
    """Contract, action, quantity, price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfilledOrder:
    """Describes an order that was cancelled or rejected without a fill."""

    at: datetime
    contract: Contract
    action: Action
    quantity: Decimal
    price: Decimal
    status: Status
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiredOption:
    """Describes the expiration of a worthless option."""

    at: datetime
    symbol: str


HistoryEvent = Deposit | FilledOrder | UnfilledOrder | ExpiredOption


def backfill_account(account: Account, registry: Registry, events: Iterable[HistoryEvent]) -> None:
    """Books events, oldest first."""
    for event in sorted(events, key=lambda one: one.at):
        match event:
            case Deposit():
                account.move_money(
                    event.amount, sub_type="Deposit", description="Cash deposit", at=event.at
                )
            case FilledOrder():
                _book_filled_order(account, registry, event)
            case UnfilledOrder():
                _record_unfilled_order(account, registry, event)
            case ExpiredOption():
                account.remove_position(event.symbol, ZERO, sub_type="Expiration", at=event.at)


def _book_filled_order(account: Account, registry: Registry, trade: FilledOrder) -> None:
    net = sum((-action.side * price * quantity for _, action, quantity, price in trade.legs), ZERO)
    order = _make_order(
        account,
        registry,
        at=trade.at,
        legs=[(contract, action, quantity) for contract, action, quantity, _ in trade.legs],
        price=ZERO,
    )
    order.ticket = replace(order.ticket, price=net / order.size)
    filled_at = trade.at + timedelta(milliseconds=640)
    group = f"{order.id}-{registry.next_execution_id()}"
    for leg, (contract, action, quantity, price) in zip(order.legs, trade.legs, strict=True):
        execution = f"{registry.next_execution_id()}"
        fees = calculate_fees(
            contract,
            quantity,
            buys=action.side > 0,
            opens=action not in CLOSING,
            value=price * quantity * contract.multiplier,
        ).rounded()
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


def _record_unfilled_order(account: Account, registry: Registry, unfilled: UnfilledOrder) -> None:
    order = _make_order(
        account,
        registry,
        at=unfilled.at,
        legs=[(unfilled.contract, unfilled.action, unfilled.quantity)],
        price=-unfilled.action.side * unfilled.price,
    )
    order.reject_reason = unfilled.reason
    # A rejected order was never live.
    _finish(order, registry, unfilled.status, unfilled.at + timedelta(seconds=27, milliseconds=155))


def _finish(order: Order, registry: Registry, status: Status, at: datetime) -> None:
    if status is not Status.REJECTED:
        order.set_status(Status.IN_FLIGHT, order.received_at + timedelta(milliseconds=15))
        order.set_status(Status.LIVE, order.received_at + timedelta(milliseconds=40))
        order.exchange_number = 10_000_000 + order.id
        order.client_order_id = f"SIM{order.id:015X}"

    order.set_status(status, at)
    registry.add(order)


def _make_order(
    account: Account,
    registry: Registry,
    *,
    at: datetime,
    legs: list[tuple[Contract, Action, Decimal]],
    price: Decimal,
) -> Order:
    order = Order(
        id=registry.next_order_id(),
        account_number=account.number,
        ticket=Ticket(
            type=OrderType.LIMIT,
            time_in_force=TimeInForce.DAY,
            price=price,
            source="history",
            legs=tuple(
                TicketLeg(
                    symbol=contract.symbol,
                    instrument_type=contract.instrument_type.value,
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
