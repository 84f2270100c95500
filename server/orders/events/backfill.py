"""Reads what an account holds now, to find changes that were missed while nothing was subscribed.

Today's orders are not enough after a longer absence: orders received since the last check are read
too, and each order that was last known as working is read by its number if neither list shows it (a
GTC order of last week that was filled yesterday).
"""

from __future__ import annotations

__all__ = ["backfill_states"]

from collections.abc import Sequence
from datetime import date

from server.brokerage import BrokerSession
from server.brokerage.api.accounts import Account
from server.brokerage.api.json_reader import Unreadable, items_of
from server.brokerage.api.order_api import OrderApi
from server.clock import NEW_YORK, Clock, new_york_today
from server.errors import NotFound
from server.orders.events.log import EventLog, Known
from server.orders.events.object_states import (
    EventKind,
    ObjectState,
    Raw,
    state_of_balances,
    state_of_closing,
    state_of_order,
    state_of_position,
)


async def backfill_states(
    session: BrokerSession, account: Account, known: Known, log: EventLog, clock: Clock
) -> list[ObjectState]:
    """Returns the present state of orders, oldest change first, then positions and balances."""
    orders = await _orders(OrderApi(session, account), session, known, clock)
    positions = await _positions(session, account, known, log, clock)
    raw = await session.connection.get(f"/accounts/{account.number}/balances/USD")
    balances = state_of_balances(raw, session.faults, sent_at=clock.now())
    return [*sorted(orders, key=lambda each: each.stamp), *positions, balances]


async def _orders(
    api: OrderApi, session: BrokerSession, known: Known, clock: Clock
) -> list[ObjectState]:
    shown = list(await api.raw_today())
    since = _day_of(known)
    if since is not None and since < new_york_today(clock):
        shown += await api.raw_since(since)

    states = {each.name: each for each in _read(shown, session)}
    for order_id in known.working_orders - states.keys():
        try:
            states[order_id] = state_of_order(await api.raw_order(order_id), session.faults)
        except (NotFound, Unreadable):
            continue

    return list(states.values())


async def _positions(
    session: BrokerSession, account: Account, known: Known, log: EventLog, clock: Clock
) -> list[ObjectState]:
    data = await session.connection.get(f"/accounts/{account.number}/positions")
    states: list[ObjectState] = []
    for raw in items_of(data):
        try:
            states.append(state_of_position(raw, session.faults, sent_at=clock.now()))
        except Unreadable:
            continue

    held = {each.name for each in states if each.working}
    for symbol in known.open_positions - held - {each.name for each in states}:
        last = await log.last_body(account.number, EventKind.POSITION, symbol)
        bare = {"symbol": symbol, "account-number": account.number}
        states.append(state_of_closing(last or bare, clock.now()))

    return states


def _read(shown: Sequence[Raw], session: BrokerSession) -> list[ObjectState]:
    states = []
    for raw in shown:
        try:
            states.append(state_of_order(raw, session.faults))
        except Unreadable:
            continue

    return states


def _day_of(known: Known) -> date | None:
    return None if known.checked_at is None else known.checked_at.astimezone(NEW_YORK).date()
