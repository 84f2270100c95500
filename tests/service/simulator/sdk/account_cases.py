"""Calls every coroutine of the SDK's `Account`, on the demo customer's margin account."""

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
from tests.service.simulator.sdk.case import CaseContext, covers

Steps = AsyncGenerator[Any, Any]
WORKING = {OrderStatus.RECEIVED, OrderStatus.ROUTED, OrderStatus.IN_FLIGHT, OrderStatus.LIVE}


@covers("Account.get")
async def accounts(context: CaseContext) -> Steps:
    found = yield Account.get(context.session)
    assert [each.account_number for each in found] == ["5WT00001", "5WT00002"]
    assert [each.margin_or_cash for each in found] == ["Margin", "Cash"]


@covers("Account.get_trading_status")
async def trading_status(context: CaseContext) -> Steps:
    status = yield context.account.get_trading_status(context.session)
    assert status.account_number == "5WT00001"
    assert not status.is_closed


@covers("Account.get_balances")
async def balances(context: CaseContext) -> Steps:
    balance = yield context.account.get_balances(context.session)
    assert balance.account_number == "5WT00001"
    assert balance.net_liquidating_value > 0


@covers("Account.get_balance_snapshots")
async def balance_snapshots(context: CaseContext) -> Steps:
    since = new_york_today(context.sim.clock) - timedelta(days=30)
    snapshots = yield context.account.get_balance_snapshots(context.session, start_date=since)
    assert snapshots
    assert all(each.snapshot_date >= since for each in snapshots)


@covers("Account.get_positions")
async def positions(context: CaseContext) -> Steps:
    held = yield context.account.get_positions(context.session, include_marks=True)
    assert {"Equity", "Equity Option"} <= {each.instrument_type.value for each in held}
    assert {"Long", "Short"} <= {each.quantity_direction for each in held}
    assert all(each.mark_price is not None for each in held)


@covers("Account.get_history")
async def history(context: CaseContext) -> Steps:
    transactions = yield context.account.get_history(context.session, page_offset=None, per_page=5)
    assert len(transactions) > 5
    assert len({each.id for each in transactions}) == len(transactions)
    executed = [each.executed_at for each in transactions]
    assert executed == sorted(executed, reverse=True)


@covers("Account.get_transaction")
async def transaction(context: CaseContext) -> Steps:
    (known, *_) = await context.account.get_history(context.session)
    found = yield context.account.get_transaction(context.session, known.id)
    assert found == known


@covers("Account.get_total_fees")
async def total_fees(context: CaseContext) -> Steps:
    fees = yield context.account.get_total_fees(context.session)
    assert isinstance(fees.total_fees, Decimal)


@covers("Account.get_net_liquidating_value_history")
async def net_liq_history(context: CaseContext) -> Steps:
    ohlc = yield context.account.get_net_liquidating_value_history(context.session, time_back="1m")
    assert ohlc
    assert all(each.low <= each.open <= each.high for each in ohlc)


@covers("Account.get_margin_requirements")
async def margin_requirements(context: CaseContext) -> Steps:
    report = yield context.account.get_margin_requirements(context.session)
    assert report.groups


@covers("Account.get_live_orders")
async def live_orders(context: CaseContext) -> Steps:
    placed = await context.working()
    orders = yield context.account.get_live_orders(context.session)
    assert placed.id in {each.id for each in orders}


@covers("Account.get_order")
async def one_order(context: CaseContext) -> Steps:
    placed = await context.working()
    order = yield context.account.get_order(context.session, placed.id)
    assert (order.id, order.price) == (placed.id, Decimal("-1.00"))


@covers("Account.get_order_history")
async def order_history(context: CaseContext) -> Steps:
    orders = yield context.account.get_order_history(context.session, page_offset=None, per_page=3)
    assert len(orders) > 3
    assert len({each.id for each in orders}) == len(orders)


@covers("Account.place_order")
async def place(context: CaseContext) -> Steps:
    order = await context.low_bid()
    dry = await context.account.place_order(context.session, order)
    assert not hasattr(dry.order, "id")
    response = yield context.account.place_order(context.session, order, dry_run=False)
    assert response.order.status in WORKING
    assert response.order.price == Decimal("-1.00")
    assert response.fee_calculation.total_fees <= 0


@covers("Account.get_order_buying_power_effect")
async def buying_power_effect(context: CaseContext) -> Steps:
    order = await context.low_bid()
    effect = yield context.account.get_order_buying_power_effect(context.session, order)
    assert effect.change_in_buying_power < 0


@covers("Account.replace_order")
async def replace(context: CaseContext) -> Steps:
    placed = await context.working()
    order = await context.low_bid(price="-2.00")
    replacement = yield context.account.replace_order(context.session, placed.id, order)
    assert replacement.id != placed.id
    assert replacement.price == Decimal("-2.00")


@covers("Account.delete_order")
async def delete(context: CaseContext) -> Steps:
    placed = await context.working()
    yield context.account.delete_order(context.session, placed.id)
    order = await context.account.get_order(context.session, placed.id)
    assert order.status in {OrderStatus.CANCEL_REQUESTED, OrderStatus.CANCELLED}


@covers("Account.place_complex_order")
async def place_complex(context: CaseContext) -> Steps:
    profit, loss = await _exits(context)
    entry = await context.low_bid()
    order = OTOCOOrder(trigger_order=entry, take_profit=profit, stop_loss=loss)
    dry = await context.account.place_complex_order(context.session, order)
    assert dry.complex_order.orders
    response = yield context.account.place_complex_order(context.session, order, dry_run=False)
    assert response.complex_order.id
    assert len(response.complex_order.orders) == 2


@covers("Account.get_complex_order")
async def one_complex_order(context: CaseContext) -> Steps:
    placed = await _complex(context)
    found = yield context.account.get_complex_order(context.session, placed)
    assert found.id == placed


@covers("Account.get_live_complex_orders")
async def live_complex_orders(context: CaseContext) -> Steps:
    placed = await _complex(context)
    found = yield context.account.get_live_complex_orders(context.session)
    assert placed in {each.id for each in found}


@covers("Account.get_complex_order_history")
async def complex_order_history(context: CaseContext) -> Steps:
    placed = await _complex(context)
    found = yield context.account.get_complex_order_history(context.session)
    assert placed in {each.id for each in found}


@covers("Account.delete_complex_order")
async def delete_complex(context: CaseContext) -> Steps:
    placed = await _complex(context)
    yield context.account.delete_complex_order(context.session, placed)
    found = await context.account.get_complex_order(context.session, placed)
    statuses = {each.status for each in (*found.orders, found.trigger_order) if each is not None}
    assert statuses <= {OrderStatus.CANCEL_REQUESTED, OrderStatus.CANCELLED}


async def _exits(context: CaseContext) -> tuple[LimitOrder, StopOrder]:
    leg = (await context.low_bid()).legs[0]
    closing = leg.model_copy(update={"action": OrderAction.SELL_TO_CLOSE})
    return (
        LimitOrder(legs=[closing], price=Decimal("5000.00")),
        StopOrder(legs=[closing], stop_trigger=Decimal("0.50")),
    )


async def _complex(context: CaseContext) -> int:
    # The two simpler kinds, one of each, so that all three are placed somewhere here.
    profit, loss = await _exits(context)
    oto = OTOOrder(trigger_order=await context.low_bid(), orders=[profit])
    response = await context.account.place_complex_order(context.session, oto, dry_run=False)
    oco = OCOOrder(take_profit=profit, stop_loss=loss)
    await context.account.place_complex_order(context.session, oco, dry_run=True)
    return response.complex_order.id
