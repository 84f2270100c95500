"""What models do is held to more than what people do: caps, of closing too, and a fair price."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tasty.v1 import credentials_service_pb2, new_order_pb2
from tasty.v1 import order_placement_pb2 as pb

from server.simulator import Simulator, SimulatorSettings
from server.simulator.exchange.orders import Script
from tests.gateway import open_gateway
from tests.ordering import NEVER, Refusal, Trader, leg, open_trader, refusal_of
from tests.service.chats import ACCOUNT, Chat, open_chat, placed

KEY = "key-of-models"


@asynccontextmanager
async def opened(folder: Path, **settings: Any) -> AsyncIterator[tuple[Trader, Trader]]:
    """Yields one person twice: as it trades itself, and as a model over MCP trades for it."""
    async with (
        Simulator(SimulatorSettings(port=0)) as sim,
        open_gateway(sim, folder, **settings) as gateway,
    ):
        person = await open_trader(gateway, "models")
        yield person, replace(person, caller=gateway.caller(KEY, "mcp"))


def close(quantity: float = 1, symbol: str = "KO") -> new_order_pb2.NewOrderLeg:
    return leg(symbol, "Sell to Close", quantity)


def forbidden(refusal: Refusal, words: str) -> bool:
    return refusal.code == "PERMISSION_DENIED" and words in refusal.words


async def mid_of(person: Trader, symbol: str) -> Decimal:
    top = person.top(symbol)
    assert top.bid is not None
    assert top.ask is not None
    return (top.bid + top.ask) / 2


async def test_a_model_closes_near_the_market_or_not_at_all(tmp_path: Path) -> None:
    async with opened(tmp_path) as (person, model):
        await person.bought("KO", 5)
        mid = await mid_of(person, "KO")
        low = (mid * Decimal("0.93")).quantize(Decimal("0.01"))
        assert forbidden(await model.refused(close(), price="0.01"), "the middle of the market is")
        assert forbidden(await model.refused(close(), price=low), "TASTY_CHAT_CLOSE_DISTANCE")
        person.script(NEVER)
        order = (await person.place(close(), price="999")).id
        await person.until(order, "Live")
        refusal = await refusal_of(model.replace(order, price="0.01"))
        assert forbidden(refusal, "the middle of the market is")
        parts = [
            new_order_pb2.ComplexOrderPart(legs=[close()], price=price) for price in ("999", "0.01")
        ]
        assert forbidden(await refusal_of(model.combine("OCO", *parts)), "the middle of the")

        near = (mid * Decimal("0.97")).quantize(Decimal("0.01"))
        assert (await model.place(close(), price=near)).id
        assert (await model.place(close(), order_type="Market")).id
        person.script(NEVER)
        assert (await model.place(close(), price="999")).id, "a better price gives nothing away"
        assert (await person.place(close(), price="0.01")).id, "a person's own close may"


async def test_a_short_position_is_not_bought_back_at_any_price(tmp_path: Path) -> None:
    async with opened(tmp_path) as (person, model):
        symbol = person.fresh()
        sold = await person.place(leg(symbol, "Sell to Open", 2), order_type="Market")
        await person.until(sold.id, "Filled")
        back = leg(symbol, "Buy to Close", 1)
        high = -((await mid_of(person, symbol)) * Decimal("1.1")).quantize(Decimal("0.01"))
        assert forbidden(await model.refused(back, price=high), "the middle of the market is")
        assert (await model.place(back, order_type="Market")).id


async def test_what_a_model_closes_is_capped_apart_and_what_a_person_closes_is_not(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, chat_order_cap=500, chat_day_cap=900) as (person, model):
        await person.bought("KO", 40)
        worth = await mid_of(person, "KO")
        many, some = int(500 / worth) + 1, int(400 / worth)
        refusal = await model.refused(close(many), order_type="Market")
        assert forbidden(refusal, "the agent may trade 500 in one order")
        for _ in range(2):
            assert (await model.place(close(some), order_type="Market")).id

        refusal = await model.refused(close(some), order_type="Market")
        assert forbidden(refusal, "it may trade 900 a day")
        person.script(NEVER)
        opening = await model.place(leg("KO", "Buy to Open", 1), price="-1.00")
        assert opening.id, "what it opens is counted apart"
        assert (await person.place(close(some), order_type="Market")).id


async def test_what_a_model_opens_over_mcp_has_the_agents_caps(tmp_path: Path) -> None:
    async with opened(tmp_path, chat_order_cap=100, chat_day_cap=150) as (person, model):
        person.script(NEVER, 4)
        buy = leg("KO", "Buy to Open", 80)
        refusal = await model.refused(leg("KO", "Buy to Open", 101), price="-1.00")
        assert forbidden(refusal, "the agent may trade 100 in one order")
        named = {"price": "-1.00", "client_order_id": "once"}
        first = await model.place(buy, **named)
        assert (await model.place(buy, **named)).id == first.id, "a repeat is not counted"
        assert forbidden(await model.refused(buy, price="-1.00"), "it may trade 150 a day")
        assert (await person.place(buy, price="-1.00")).id
        refusal = await model.refused(leg("SPY", "Sell to Open", 1), price="999")
        assert forbidden(refusal, "in one order"), "a short sale takes more than its premium"


async def test_every_order_of_a_model_counts_in_the_hour_and_no_cancel_does(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, chat_orders_per_hour=3) as (person, model):
        await person.bought("KO", 5)
        person.script(NEVER)
        order = (await model.place(leg("KO", "Buy to Open", 1), price="-1.00")).id
        await person.until(order, "Live")
        assert (await model.place(close(), order_type="Market")).id
        await model.refused(close(), price="0.01")
        await refusal_of(model.place(leg("KO", "Sell to Close", 500), order_type="Market"))
        assert (await model.place(close(), order_type="Market")).id, "refusals are not counted"
        refusal = await model.refused(close(), order_type="Market")
        assert forbidden(refusal, "3 orders within an hour")
        assert (await model.cancel(order)).success
        assert (await person.place(close(), order_type="Market")).id


async def test_a_new_key_of_the_same_account_does_not_begin_anew(tmp_path: Path) -> None:
    async with opened(tmp_path, chat_orders_per_hour=1) as (person, model):
        person.script(NEVER)
        assert (await model.place(leg("KO", "Buy to Open", 1), price="-1.00")).id
        save = credentials_service_pb2.SaveCredentialsRequest(
            api_key="another-key-of-models",
            client_secret="secret-models",
            refresh_token="refresh-models",
        )
        await person.gateway.demo.credentials.SaveCredentials(save)
        other = replace(model, caller=person.gateway.caller("another-key-of-models", "mcp"))
        refusal = await other.refused(leg("KO", "Buy to Open", 1), price="-1.00")
        assert forbidden(refusal, "1 orders within an hour")


@asynccontextmanager
async def chatting(folder: Path, **settings: Any) -> AsyncIterator[Chat]:
    """Yields the chat of somebody who holds shares, with a model that does what it reads."""
    chosen = {"chat_model": "stand-in-obedient", **settings}
    async with open_chat(folder, **chosen) as chat:
        request = new_order_pb2.NewOrder(legs=[leg("KO", "Buy to Open", 60)], order_type="Market")
        placing = pb.PlaceOrderRequest(account_id=ACCOUNT, order=request)
        bought = await chat.caller.orders.PlaceOrder(placing)
        order = chat.sim.exchange.registry.orders[int(bought.id)]
        async with asyncio.timeout(10):
            while order.status.value != "Filled":  # noqa: ASYNC110 - the simulator sets no event
                await asyncio.sleep(0.01)

        yield chat


def sell(**fields: str) -> str:
    given = ", ".join(f'"{name}": "{value}"' for name, value in fields.items())
    order = f'{{"legs": [{{"symbol": "KO", "action": "Sell", "quantity": 1}}], {given}}}'
    return f'CALL place_order {{"account_id": "{ACCOUNT}", "order": {order}}}'


async def test_an_agent_that_sells_everything_at_once_is_stopped(tmp_path: Path) -> None:
    settings = {"chat_trading": "auto", "chat_orders_per_hour": 3}
    async with chatting(tmp_path, **settings) as chat:
        before = placed(chat.sim)
        (refused,) = (await chat.ask(sell(price="0.01"))).tool_calls
        assert "the middle of the market is" in refused.error
        assert placed(chat.sim) == before
        told = [
            call.error
            for _ in range(5)
            for call in (await chat.ask(sell(order_type="Market"))).tool_calls
        ]
        assert told[:3] == ["", "", ""]
        assert all("3 orders within an hour" in error for error in told[3:])
        assert (len(told), placed(chat.sim)) == (5, before + 3)


async def test_a_close_that_its_user_has_confirmed_is_not_capped(tmp_path: Path) -> None:
    settings = {"chat_orders_per_hour": 1, "chat_order_cap": 1, "chat_day_cap": 1}
    async with chatting(tmp_path, **settings) as chat:
        chat.sim.exchange.script(ACCOUNT, Script(behaviour="never"), 2)
        for _ in range(2):
            before = placed(chat.sim)
            asked = await chat.ask(sell(price="0.01"))
            (ticket,) = asked.tickets
            done = await chat.ask(f"confirm {ticket.code}")
            assert done.confirmed_order.order_id
            assert placed(chat.sim) == before + 1


@pytest.mark.parametrize("origin", ["mcp", "caller", "anything"])
async def test_nobody_gains_by_calling_himself_something(tmp_path: Path, origin: str) -> None:
    async with opened(tmp_path, chat_order_cap=1) as (person, _):
        named = replace(person, caller=person.gateway.caller(KEY, origin))
        refusal = await named.refused(leg("KO", "Buy to Open", 2), price="-1.00")
        assert forbidden(refusal, "the agent may trade 1 in one order")
