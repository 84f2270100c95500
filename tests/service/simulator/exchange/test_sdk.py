"""Tests trading through the unpatched SDK, whose models parse every answer and notification."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from tastytrade import Account, AlertStreamer, Session
from tastytrade.account import AccountBalance, CurrentPosition
from tastytrade.order import (
    InstrumentType,
    Leg,
    LimitOrder,
    MarketOrder,
    NotionalOrder,
    OrderAction,
    OrderStatus,
    OrderTimeInForce,
    PlacedComplexOrder,
    PlacedOrder,
    StopLimitOrder,
    StopOrder,
)
from tastytrade.streamer import ExternalTransaction, UnderlyingYearGainSummary
from tastytrade.utils import TastytradeError

from tests.service.simulator.exchange.conftest import CASH, START, CustomerClient


def stock(action: OrderAction, quantity: int | None = 10, symbol: str = "F") -> list[Leg]:
    return [
        Leg(
            instrument_type=InstrumentType.EQUITY,
            symbol=symbol,
            action=action,
            quantity=quantity,
        )
    ]


pytestmark = pytest.mark.filterwarnings(
    "ignore:Use .content=:DeprecationWarning"  # how the SDK posts its bodies
)

BUY, SELL = OrderAction.BUY_TO_OPEN, OrderAction.SELL_TO_CLOSE
GTC = OrderTimeInForce.GTC


async def test_a_round_trip_leaves_its_gain_and_its_fees(
    client: CustomerClient, session: Session, account: Account
) -> None:
    before = await account.get_balances(session)
    bought = await account.place_order(session, MarketOrder(legs=stock(BUY, 100)), dry_run=False)
    await client.pass_time()
    held = [one for one in await account.get_positions(session) if one.symbol == "F"]
    sold = await account.place_order(
        session, LimitOrder(legs=stock(SELL, 100), price=Decimal("0.01")), dry_run=False
    )
    await client.pass_time()
    orders = [await account.get_order(session, one.order.id) for one in (bought, sold)]
    assert [one.status for one in orders] == [OrderStatus.FILLED] * 2
    assert held[0].quantity == 100
    paid, got = (one.legs[0].fills[0].fill_price for one in orders if one.legs[0].fills)
    fees = await account.get_total_fees(session, START.date())
    after = await account.get_balances(session)
    assert after.cash_balance - before.cash_balance == (got - paid) * 100 + fees.total_fees
    trades = await account.get_history(session, symbol="F", sort="Asc")
    assert sum(one.net_value for one in trades) == after.cash_balance - before.cash_balance


async def test_every_type_of_order_is_read_back(
    client: CustomerClient, session: Session, account: Account
) -> None:
    orders = [
        LimitOrder(legs=stock(BUY), price=Decimal("-1.00"), time_in_force=GTC),
        StopLimitOrder(legs=stock(BUY), price=Decimal(-99), stop_trigger=Decimal(98)),
        StopOrder(legs=stock(BUY), stop_trigger=Decimal(99)),
        MarketOrder(legs=stock(BUY)),
        NotionalOrder(legs=stock(BUY, None), value=Decimal(-100)),
    ]
    for order in orders:
        placed = await account.place_order(session, order, dry_run=False)
        assert placed.order.order_type == order.order_type
        assert placed.buying_power_effect.change_in_buying_power < 0
        assert placed.order.status is OrderStatus.ROUTED

    await client.pass_time()
    live = await account.get_live_orders(session)
    statuses = {one.order_type.value: one.status.value for one in live if one.source != "history"}
    assert statuses == {
        "Limit": "Live",
        "Stop Limit": "Live",
        "Stop": "Live",
        "Market": "Filled",
        "Notional Market": "Filled",
    }


REFUSED = (
    (LimitOrder(legs=stock(BUY), price=Decimal(1)), "cant_buy_for_credit"),
    (LimitOrder(legs=stock(BUY, 10**5), price=Decimal(-9)), "margin_check_failed"),
    (LimitOrder(legs=stock(BUY, symbol="NOPE"), price=Decimal(-1)), "instrument_validation"),
    (LimitOrder(legs=stock(BUY), price=Decimal(0)), "invalid_price"),
    (LimitOrder(legs=stock(BUY) * 2, price=Decimal(-1)), "too_many_legs"),
    (MarketOrder(legs=stock(BUY), time_in_force=GTC), "tif."),
)


async def test_refusals_say_why(session: Session, account: Account) -> None:
    for order, words in REFUSED:
        with pytest.raises(TastytradeError, match=words):
            await account.place_order(session, order, dry_run=False)


async def test_the_effect_of_an_order_that_is_too_large_can_be_asked_for(
    session: Session, account: Account
) -> None:
    order = LimitOrder(legs=stock(BUY, 40_000), price=Decimal(-9))
    effect = await account.get_order_buying_power_effect(session, order)
    assert effect.new_buying_power < 0


async def test_history_is_read_to_its_end(session: Session, account: Account) -> None:
    every = await account.get_order_history(session, page_offset=None, per_page=4)
    assert len(every) == len({one.id for one in every}) > 10
    trades = await account.get_history(session, page_offset=None, per_page=4)
    assert len(trades) == len({one.id for one in trades}) > 10


async def test_the_empty_account_is_read_too(client: CustomerClient, session: Session) -> None:
    empty = await Account.get(session, CASH)
    assert await empty.get_positions(session) == []
    assert await empty.get_history(session) == []
    assert await empty.get_live_orders(session) == []
    assert await empty.get_net_liquidating_value_history(session, time_back="1m")
    assert (await empty.get_margin_requirements(session)).groups == []
    assert (await empty.get_balances(session)).derivative_buying_power == 0


@asynccontextmanager
async def alerts(
    client: CustomerClient, session: Session, account: Account
) -> AsyncIterator[AlertStreamer]:
    """Connects the SDK's alert streamer to the account."""
    streamer = AlertStreamer(session)
    streamer.base_url = client.sim.url.replace("http", "ws", 1) + "/streamer"
    try:
        async with streamer:
            await streamer.subscribe_accounts([account])
            yield streamer
    finally:
        for queue in streamer._queues.values():  # the SDK leaves them open, which warns
            await queue.aclose()


async def test_every_change_is_told_as_a_whole(
    client: CustomerClient, session: Session, account: Account
) -> None:
    told: list[OrderStatus] = []
    async with asyncio.timeout(10), alerts(client, session, account) as streamer:
        order = LimitOrder(legs=stock(BUY), price=Decimal(-99))
        placed = await account.place_order(session, order, dry_run=False)
        await client.pass_time(0.5)
        async for seen in streamer.listen(PlacedOrder):
            assert seen.id == placed.order.id
            told.append(seen.status)
            if seen.status is OrderStatus.FILLED:
                break

        position = await anext(aiter(streamer.listen(CurrentPosition)))
        balance = await anext(aiter(streamer.listen(AccountBalance)))

    stages = [OrderStatus.ROUTED, OrderStatus.IN_FLIGHT, OrderStatus.LIVE, OrderStatus.FILLED]
    assert told == stages
    assert (position.symbol, position.quantity) == ("F", 10)
    assert balance.cash_balance == (await account.get_balances(session)).cash_balance


async def test_complex_orders_are_told_as_a_whole(
    client: CustomerClient, session: Session, account: Account
) -> None:
    (bracket,) = await account.get_live_complex_orders(session)
    async with asyncio.timeout(10), alerts(client, session, account) as streamer:
        await account.delete_complex_order(session, bracket.id)
        await client.pass_time(0.5)
        async for told in streamer.listen(PlacedComplexOrder):
            if all(one.status is OrderStatus.CANCELLED for one in told.orders):
                assert told == await account.get_complex_order(session, bracket.id)
                return


async def test_money_and_the_years_gain_are_told(
    client: CustomerClient, session: Session, account: Account
) -> None:
    async with asyncio.timeout(10), alerts(client, session, account) as streamer:
        transfer = {"account": account.account_number, "amount": 250}
        _, booked = await client.call("POST", "/_admin/exchange/transfers", transfer)
        told = await anext(aiter(streamer.listen(ExternalTransaction)))
        assert (told.id, told.amount, told.direction) == (booked["id"], 250, "Deposit")
        sale = LimitOrder(legs=stock(SELL, 10, "NVDA"), price=Decimal(1))
        await account.place_order(session, sale, dry_run=False)
        await client.pass_time()
        gain = await anext(aiter(streamer.listen(UnderlyingYearGainSummary)))

    (position,) = await account.get_positions(session, symbol="NVDA")
    assert (gain.symbol, gain.year) == ("NVDA", 2026)
    assert gain.yearly_realized_gain == position.realized_today != 0
