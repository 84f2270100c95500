"""Complex orders, and the names that make each order one."""

from __future__ import annotations

__all__: list[str] = []

from decimal import Decimal
from typing import Any

import grpc
import pytest
from tasty.v1 import new_order_pb2
from tasty.v1 import order_placement_pb2 as pb

from tests.ordering import NEVER, Trader, leg, refusal_of
from tests.service.order_cases.registry import case


def part(wanted: Any, price: str | None = None, **fields: Any) -> new_order_pb2.ComplexOrderPart:
    return new_order_pb2.ComplexOrderPart(legs=[wanted], price=price, **fields)


async def bracket(trader: Trader, symbol: str) -> pb.PlaceComplexOrderResponse:
    """Returns an OCO around two shares that are held: a high limit and a low stop."""
    await trader.bought(symbol, 2)
    trader.script(NEVER, 2)
    return await trader.combine(
        "OCO",
        part(leg(symbol, "Sell to Close", 2), "5000.00", time_in_force="GTC"),
        part(
            leg(symbol, "Sell to Close", 2),
            order_type="Stop",
            stop_trigger="0.50",
            time_in_force="GTC",
        ),
    )


@case(90, "OCO: when one is filled, the other is cancelled")
async def one_cancels_other(trader: Trader) -> None:
    placed = await bracket(trader, trader.fresh())
    assert placed.status == "Placed"
    assert placed.complex_order.type == "OCO"
    limit, stop = placed.complex_order.orders
    assert {limit.external_identifier, stop.external_identifier} == {placed.client_order_id}
    assert all(trader.at_broker(each.id).ticket.strict for each in (limit, stop))
    await trader.until(limit.id, "Live")
    trader.fill(limit.id)
    await trader.until(stop.id, "Cancelled")


@case(91, "OTO: the trigger's fill sends the other on its way")
async def one_triggers_other(trader: Trader) -> None:
    symbol = trader.fresh()
    trader.script(NEVER)
    placed = await trader.combine(
        "OTO",
        part(leg(symbol, "Sell to Close", 1), "5000.00", time_in_force="GTC"),
        trigger=part(leg(symbol, "Buy to Open", 1), "-1.00"),
    )
    trigger, (child,) = placed.complex_order.trigger_order, placed.complex_order.orders
    assert trader.at_broker(child.id).status.value == "Contingent"
    await trader.until(trigger.id, "Live")
    trader.fill(trigger.id)
    await trader.until(child.id, "Live", "Routed", "In Flight")


@case(92, "OTOCO: a trigger, then two of which one cancels the other")
async def one_triggers_two(trader: Trader) -> None:
    symbol = trader.fresh()
    trader.script(NEVER, 2)
    placed = await trader.combine(
        "OTOCO",
        part(leg(symbol, "Sell to Close", 1), "5000.00", time_in_force="GTC"),
        part(
            leg(symbol, "Sell to Close", 1),
            order_type="Stop",
            stop_trigger="0.50",
            time_in_force="GTC",
        ),
        trigger=part(leg(symbol, "Buy to Open", 1), "-1.00"),
    )
    whole = placed.complex_order
    assert whole.trigger_order.complex_order_tag == "OTOCO::trigger-order"
    assert len(whole.orders) == 2
    await trader.until(whole.trigger_order.id, "Live")
    trader.fill(whole.trigger_order.id)
    await trader.until(whole.orders[0].id, "Live")
    trader.fill(whole.orders[0].id)
    await trader.until(whole.orders[1].id, "Cancelled")


@case(105, "Behind a trigger Buy and Sell mean what fits the position after it")
async def short_words_behind_a_trigger(trader: Trader) -> None:
    symbol = trader.fresh()

    async def sent(first: str, then: str, price: str, later: str) -> list[str]:
        placed = await trader.combine(
            "OTOCO",
            part(leg(symbol, then, 2), later),
            part(leg(symbol, then, 2), order_type="Stop", stop_trigger="1.00"),
            trigger=part(leg(symbol, first, 2), price),
        )
        whole = placed.complex_order
        numbers = [whole.trigger_order.id, *(each.id for each in whole.orders)]
        return [trader.at_broker(each).ticket.legs[0].action.value for each in numbers]

    closing = ["Buy to Open", "Sell to Close", "Sell to Close"]
    assert await sent("Buy", "Sell", "-1.00", "5000.00") == closing
    assert await sent("Sell", "Buy", "5000.00", "-1.00") == [
        *("Sell to Open", "Buy to Close", "Buy to Close")
    ]
    await trader.bought(symbol, 2)
    assert await sent("Sell", "Buy", "5000.00", "-1.00") == [
        *("Sell to Close", "Buy to Open", "Buy to Open")
    ]


@case(93, "Cancelling a complex order ends all that works of it")
async def cancel_whole(trader: Trader) -> None:
    placed = await bracket(trader, trader.fresh())
    answer = await trader.cancel_combined(placed.id)
    assert (answer.success, answer.complex_order_id) == (True, placed.id)
    for each in placed.complex_order.orders:
        await trader.until(each.id, "Cancelled")
    refusal = await refusal_of(trader.cancel_combined(placed.id))
    assert refusal.code == "INVALID_ARGUMENT"
    assert (await refusal_of(trader.cancel_combined("999999"))).code == "NOT_FOUND"


@case(94, "Complex orders of the wrong shape: refused, with the place of the mistake")
async def wrong_shapes(trader: Trader) -> None:
    before = len(trader.orders)
    one = part(leg("SPY", "Buy to Open", 1), "-1.00")
    unpriced = part(leg("SPY", "Buy to Open", 1))
    off_tick = part(leg("SPY", "Buy to Open", 1), "-500.001")
    for call, words in (
        (trader.combine("OCO", one), "Invalid orders '1'"),
        (trader.combine("OCO", one, one, trigger=one), "Invalid trigger_order"),
        (trader.combine("OTO", one), "Invalid trigger_order"),
        (trader.combine("OTOCO", one, unpriced, trigger=one), "orders[1].price"),
        (trader.combine("OCO", one, off_tick), "Invalid orders[1].price -500.001"),
        (trader.combine("OCOCO", one, one), "one of OCO, OTO, OTOCO"),
        (trader.combine("OCO"), "At least one order is required"),
    ):
        refusal = await refusal_of(call)
        assert refusal.code == "INVALID_ARGUMENT", refusal
        assert words in refusal.words
    assert len(trader.orders) == before


@case(95, "Dry run of a complex order: checked, nothing placed")
async def checked(trader: Trader) -> None:
    before = len(trader.orders)
    answer = await trader.combine(
        "OTO",
        part(leg("SPY", "Sell to Close", 1), "5000.00"),
        trigger=part(leg("SPY", "Buy to Open", 1), "-1.00"),
        dry_run=True,
    )
    assert (answer.id, answer.status, answer.dry_run) == ("", "Checked", True)
    assert answer.HasField("buying_power_effect")
    assert len(trader.orders) == before


@case(96, "The same name again: the same answer byte for byte, one order")
async def same_name(trader: Trader) -> None:
    wanted = leg(trader.fresh(), "Buy", 1)
    first = await trader.place(wanted, price="-1.00", client_order_id="twice")
    await trader.until(first.id, "Live")
    again = await trader.place(wanted, price="-1", client_order_id="twice")
    assert again.SerializeToString() == first.SerializeToString()
    assert len(trader.named("twice")) == 1


@case(97, "The same name for another order: a conflict, nothing sent")
async def same_name_other_order(trader: Trader) -> None:
    await trader.place(leg("SPY", "Buy to Open", 1), price="-1.00", client_order_id="mine")
    for wanted, price in (
        (leg("SPY", "Buy to Open", 2), "-1.00"),
        (leg("SPY", "Buy", 1), "-1.00"),
        (leg("SPY", "Buy to Open", 1), "-1.01"),
    ):
        refusal = await trader.refused(wanted, price=price, client_order_id="mine")
        assert refusal.code == "ALREADY_EXISTS"
        assert "client_order_id 'mine'" in refusal.words


@case(98, "The header Idempotency-Key is a name, and says so when it is repeated")
async def name_in_a_header(trader: Trader) -> None:
    request = trader.request(leg("SPY", "Buy to Open", 1), price="-1.00")
    channel = trader.gateway.channel
    key = (("x-api-key", "key-of-case-98"), ("idempotency-key", "head-1"))
    call = channel.unary_unary("/tasty.v1.OrderService/PlaceOrder")
    first = call(request.SerializeToString(), metadata=key)
    placed = pb.PlaceOrderResponse.FromString(await first)
    assert placed.client_order_id == "head-1"
    assert "idempotency-replayed" not in dict(await first.initial_metadata())
    again = call(request.SerializeToString(), metadata=key)
    assert await again == placed.SerializeToString()
    assert dict(await again.initial_metadata())["idempotency-replayed"] == "true"
    assert len(trader.named("head-1")) == 1


@case(99, "Two different names in body and header, or two in the header: refused")
async def two_names(trader: Trader) -> None:
    request = trader.request(leg("SPY", "Buy", 1), price="-1.00", client_order_id="body-1")
    key = (("x-api-key", "key-of-case-99"), ("idempotency-key", "head-1"))
    call = trader.gateway.channel.unary_unary("/tasty.v1.OrderService/PlaceOrder")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(request.SerializeToString(), metadata=key)
    assert "Idempotency-Key" in str(refused.value.details())

    nameless = trader.request(leg("SPY", "Buy", 1), price="-1.00").SerializeToString()
    twice = (*key, ("idempotency-key", "head-2"))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(nameless, metadata=twice)
    assert "'head-1, head-2'" in str(refused.value.details())
    assert not trader.named("head-1")


@case(100, "Names that are none: refused")
async def bad_names(trader: Trader) -> None:
    for name in ("", " ", "a b", "a/b", "é", "x" * 65, "a\nb"):
        refusal = await trader.refused(leg("SPY", "Buy", 1), price="-1.00", client_order_id=name)
        assert refusal.code == "INVALID_ARGUMENT", name
    longest = "x" * 64
    placed = await trader.place(leg("SPY", "Buy", 1), price="-1.00", client_order_id=longest)
    assert placed.client_order_id == longest


@case(101, "Without a name the server makes one and tells it")
async def made_name(trader: Trader) -> None:
    placed = await trader.place(leg("SPY", "Buy to Open", 1), price="-1.00")
    assert len(placed.client_order_id) == 36
    assert placed.order.external_identifier == placed.client_order_id
    again = await trader.place(
        leg("SPY", "Buy to Open", 1), price="-1.00", client_order_id=placed.client_order_id
    )
    assert again.id == placed.id


@case(102, "A refusal is repeated too: the same words, nothing sent again")
async def refusal_repeated(trader: Trader) -> None:
    wanted, name = leg("SPY", "Buy to Open", 40_000), "too-much"
    first = await trader.refused(wanted, price="-900.00", client_order_id=name)
    sent = trader.gateway.sim.statistics().requests.get("422", 0)
    again = await trader.refused(wanted, price="-900.00", client_order_id=name)
    assert first == again
    assert trader.gateway.sim.statistics().requests.get("422", 0) == sent


@case(103, "A replacement with a name is one replacement, however often it is asked for")
async def replacement_once(trader: Trader) -> None:
    trader.script(NEVER)
    placed = await trader.place(leg(trader.fresh(), "Buy to Open", 1), price="-1.00")
    await trader.until(placed.id, "Live")
    first = await trader.replace(placed.id, price="-1.50", client_order_id="better")
    again = await trader.replace(placed.id, price="-1.50", client_order_id="better")
    assert first.SerializeToString() == again.SerializeToString()
    assert Decimal(first.price) == Decimal("-1.50")
    assert len(trader.named("better")) == 1


@case(104, "A complex order with a name is placed once")
async def combination_once(trader: Trader) -> None:
    symbol = trader.fresh()
    await trader.bought(symbol, 1)
    trader.script(NEVER, 4)

    async def place() -> pb.PlaceComplexOrderResponse:
        return await trader.combine(
            "OCO",
            part(leg(symbol, "Sell to Close", 1), "5000.00"),
            part(leg(symbol, "Sell to Close", 1), order_type="Stop", stop_trigger="0.50"),
            client_order_id="both",
        )

    first, again = await place(), await place()
    assert first.SerializeToString() == again.SerializeToString()
    assert len(trader.named("both")) == 2
