"""Every coroutine of the SDK's `Account`, on the demo customer's margin account."""

from __future__ import annotations

__all__: list[str] = []

from collections.abc import AsyncGenerator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tastytrade import Account
from tastytrade.order import (
    LimitOrder,
    OCOOrder,
    OrderAction,
    OrderStatus,
    OTOCOOrder,
    OTOOrder,
    StopOrder,
)

from server.simulator.clock import new_york_today
from tests.service.simulator.sdk.case import World, covers

Steps = AsyncGenerator[Any, Any]
WORKING = {OrderStatus.RECEIVED, OrderStatus.ROUTED, OrderStatus.IN_FLIGHT, OrderStatus.LIVE}


@covers("Account.get")
async def accounts(world: World) -> Steps:
    found = yield Account.get(world.session)
    assert [each.account_number for each in found] == ["5WT00001", "5WT00002"]
    assert [each.margin_or_cash for each in found] == ["Margin", "Cash"]


@covers("Account.get_trading_status")
async def trading_status(world: World) -> Steps:
    status = yield world.account.get_trading_status(world.session)
    assert status.account_number == "5WT00001"
    assert not status.is_closed


@covers("Account.get_balances")
async def balances(world: World) -> Steps:
    balance = yield world.account.get_balances(world.session)
    assert balance.account_number == "5WT00001"
    assert balance.net_liquidating_value > 0


@covers("Account.get_balance_snapshots")
async def balance_snapshots(world: World) -> Steps:
    since = new_york_today(world.sim.clock) - timedelta(days=30)
    snapshots = yield world.account.get_balance_snapshots(world.session, start_date=since)
    assert snapshots
    assert all(each.snapshot_date >= since for each in snapshots)


@covers("Account.get_positions")
async def positions(world: World) -> Steps:
    held = yield world.account.get_positions(world.session, include_marks=True)
    assert {"Equity", "Equity Option"} <= {each.instrument_type.value for each in held}
    assert {"Long", "Short"} <= {each.quantity_direction for each in held}
    assert all(each.mark_price is not None for each in held)


@covers("Account.get_history")
async def history(world: World) -> Steps:
    transactions = yield world.account.get_history(world.session, page_offset=None, per_page=5)
    assert len(transactions) > 5
    assert len({each.id for each in transactions}) == len(transactions)
    executed = [each.executed_at for each in transactions]
    assert executed == sorted(executed, reverse=True)


@covers("Account.get_transaction")
async def transaction(world: World) -> Steps:
    (known, *_) = await world.account.get_history(world.session)
    found = yield world.account.get_transaction(world.session, known.id)
    assert found == known


@covers("Account.get_total_fees")
async def total_fees(world: World) -> Steps:
    fees = yield world.account.get_total_fees(world.session)
    assert isinstance(fees.total_fees, Decimal)


@covers("Account.get_net_liquidating_value_history")
async def net_liq_history(world: World) -> Steps:
    ohlc = yield world.account.get_net_liquidating_value_history(world.session, time_back="1m")
    assert ohlc
    assert all(each.low <= each.open <= each.high for each in ohlc)


@covers("Account.get_margin_requirements")
async def margin_requirements(world: World) -> Steps:
    report = yield world.account.get_margin_requirements(world.session)
    assert report.groups


@covers("Account.get_live_orders")
async def live_orders(world: World) -> Steps:
    placed = await world.working()
    orders = yield world.account.get_live_orders(world.session)
    assert placed.id in {each.id for each in orders}


@covers("Account.get_order")
async def one_order(world: World) -> Steps:
    placed = await world.working()
    order = yield world.account.get_order(world.session, placed.id)
    assert (order.id, order.price) == (placed.id, Decimal("-1.00"))


@covers("Account.get_order_history")
async def order_history(world: World) -> Steps:
    orders = yield world.account.get_order_history(world.session, page_offset=None, per_page=3)
    assert len(orders) > 3
    assert len({each.id for each in orders}) == len(orders)


@covers("Account.place_order")
async def place(world: World) -> Steps:
    order = await world.low_bid()
    dry = await world.account.place_order(world.session, order)
    assert not hasattr(dry.order, "id")
    response = yield world.account.place_order(world.session, order, dry_run=False)
    assert response.order.status in WORKING
    assert response.order.price == Decimal("-1.00")
    assert response.fee_calculation.total_fees <= 0


@covers("Account.get_order_buying_power_effect")
async def buying_power_effect(world: World) -> Steps:
    order = await world.low_bid()
    effect = yield world.account.get_order_buying_power_effect(world.session, order)
    assert effect.change_in_buying_power < 0


@covers("Account.replace_order")
async def replace(world: World) -> Steps:
    placed = await world.working()
    order = await world.low_bid(price="-2.00")
    replacement = yield world.account.replace_order(world.session, placed.id, order)
    assert replacement.id != placed.id
    assert replacement.price == Decimal("-2.00")


@covers("Account.delete_order")
async def delete(world: World) -> Steps:
    placed = await world.working()
    yield world.account.delete_order(world.session, placed.id)
    order = await world.account.get_order(world.session, placed.id)
    assert order.status in {OrderStatus.CANCEL_REQUESTED, OrderStatus.CANCELLED}


@covers("Account.place_complex_order")
async def place_complex(world: World) -> Steps:
    profit, loss = await _exits(world)
    entry = await world.low_bid()
    order = OTOCOOrder(trigger_order=entry, take_profit=profit, stop_loss=loss)
    dry = await world.account.place_complex_order(world.session, order)
    assert dry.complex_order.orders
    response = yield world.account.place_complex_order(world.session, order, dry_run=False)
    assert response.complex_order.id
    assert len(response.complex_order.orders) == 2


@covers("Account.get_complex_order")
async def one_complex_order(world: World) -> Steps:
    placed = await _complex(world)
    found = yield world.account.get_complex_order(world.session, placed)
    assert found.id == placed


@covers("Account.get_live_complex_orders")
async def live_complex_orders(world: World) -> Steps:
    placed = await _complex(world)
    found = yield world.account.get_live_complex_orders(world.session)
    assert placed in {each.id for each in found}


@covers("Account.get_complex_order_history")
async def complex_order_history(world: World) -> Steps:
    placed = await _complex(world)
    found = yield world.account.get_complex_order_history(world.session)
    assert placed in {each.id for each in found}


@covers("Account.delete_complex_order")
async def delete_complex(world: World) -> Steps:
    placed = await _complex(world)
    yield world.account.delete_complex_order(world.session, placed)
    found = await world.account.get_complex_order(world.session, placed)
    statuses = {each.status for each in (*found.orders, found.trigger_order) if each is not None}
    assert statuses <= {OrderStatus.CANCEL_REQUESTED, OrderStatus.CANCELLED}


async def _exits(world: World) -> tuple[LimitOrder, StopOrder]:
    leg = (await world.low_bid()).legs[0]
    closing = leg.model_copy(update={"action": OrderAction.SELL_TO_CLOSE})
    return (
        LimitOrder(legs=[closing], price=Decimal("5000.00")),
        StopOrder(legs=[closing], stop_trigger=Decimal("0.50")),
    )


async def _complex(world: World) -> int:
    # The two simpler kinds, one of each, so that all three are placed somewhere here.
    profit, loss = await _exits(world)
    oto = OTOOrder(trigger_order=await world.low_bid(), orders=[profit])
    response = await world.account.place_complex_order(world.session, oto, dry_run=False)
    oco = OCOOrder(take_profit=profit, stop_loss=loss)
    await world.account.place_complex_order(world.session, oco, dry_run=True)
    return response.complex_order.id
