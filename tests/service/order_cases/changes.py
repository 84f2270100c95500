"""Replaced and cancelled orders, also where a fill comes in between."""

from __future__ import annotations

__all__: list[str] = []

from decimal import Decimal

from tests.ordering import NEVER, Trader, leg, open_trader, refusal_of
from tests.service.order_cases.registry import case


async def working(trader: Trader, quantity: int = 2, **fields: object) -> str:
    """Returns the number of a live order that the exchange leaves alone."""
    trader.script(NEVER)
    wanted = {"price": "-1.00", **fields}
    placed = await trader.place(leg(trader.fresh(), "Buy to Open", quantity), **wanted)
    await trader.until(placed.id, "Live")
    return placed.id


@case(74, "Partly filled, then cancelled: what was filled stays filled")
async def partly_filled_then_cancelled(trader: Trader) -> None:
    order_id = await working(trader, 4)
    trader.fill(order_id, 1)
    await trader.cancel(order_id)
    await trader.until(order_id, "Cancelled")
    shown = await trader.order(order_id)
    assert (shown.status, shown.legs[0].remaining_quantity) == ("Cancelled", 3)
    assert len(shown.legs[0].fills) == 1


@case(75, "Replaced: a new number, both told, the price changed and all else kept")
async def replaced(trader: Trader) -> None:
    old = await working(trader, 2, time_in_force="GTC")
    trader.script(NEVER)
    changed = await trader.replace(old, price="-1.50")
    assert changed.replaced_order_id == old != changed.id
    assert (changed.price, changed.price_source) == ("-1.50", "given")
    await trader.until(old, "Cancelled")
    new = await trader.until(changed.id, "Live")
    assert new.ticket.time_in_force.value == "GTC"
    assert new.ticket.price == Decimal("-1.50")
    assert [(each.contract.symbol, each.quantity) for each in new.legs] == [
        (each.contract.symbol, each.quantity) for each in trader.at_broker(old).legs
    ]


@case(76, "Replacing a stop limit keeps its trigger")
async def replaced_stop_limit(trader: Trader) -> None:
    old = await working(
        trader, 1, order_type="Stop Limit", stop_trigger="2000.00", price="-2001.00"
    )
    changed = await trader.replace(old, price="-2002.00")
    new = trader.at_broker(changed.id)
    assert (new.ticket.stop_trigger, new.ticket.price) == (Decimal(2000), Decimal(-2002))
    assert new.ticket.type.value == "Stop Limit"


@case(77, "Replaced without a price: at the mid of current quotes")
async def replaced_at_the_mid(trader: Trader) -> None:
    changed = await trader.replace(await working(trader))
    assert changed.price_source == "mid"
    assert Decimal(changed.price) < -10


@case(78, "Replacing what is filled: not found among live orders, which are named")
async def replace_filled(trader: Trader) -> None:
    done = await working(trader)
    trader.fill(done)
    other = await working(trader)
    refusal = await refusal_of(trader.replace(done, price="-2.00"))
    assert refusal.code == "NOT_FOUND"
    assert f"Order {done} not found in live orders. Available orders:" in refusal.words
    assert other in refusal.words


@case(79, "A fill comes before the replacement: the old one is filled, the new one rejected")
async def replace_loses_the_race(trader: Trader) -> None:
    old = await working(trader)
    changed = await trader.replace(old, price="-1.50")
    trader.fill(old)
    await trader.until(old, "Filled")
    await trader.until(changed.id, "Rejected")
    assert "filled before" in (await trader.order(changed.id)).reject_reason
    held = trader.gateway.sim.exchange.registry.accounts[trader.account]
    assert held.held(trader.at_broker(old).legs[0].contract.symbol) == 2


@case(80, "Replacing somebody else's order: not found")
async def replace_foreign(trader: Trader) -> None:
    other = await open_trader(trader.gateway, "case-80-other")
    theirs = await working(other)
    refusal = await refusal_of(trader.replace(theirs, price="-2.00"))
    assert refusal.code == "NOT_FOUND"
    assert other.at_broker(theirs).ticket.price == Decimal(-1)


@case(81, "Replacing with a price between two ticks, or of the wrong sign: refused")
async def replace_badly(trader: Trader) -> None:
    order_id = await working(trader)
    for price, words in (("-1.005", "tick"), ("1.00", "the order buys"), ("0", "Invalid price")):
        refusal = await refusal_of(trader.replace(order_id, price=price))
        assert refusal.code == "INVALID_ARGUMENT"
        assert words in refusal.words
    assert trader.at_broker(order_id).replacing is None


@case(82, "After a replacement, each order names the other")
async def linked(trader: Trader) -> None:
    old = await working(trader)
    trader.script(NEVER)
    new = (await trader.replace(old, price="-1.50")).id
    await trader.until(old, "Cancelled")
    before, after = await trader.order(old), await trader.order(new)
    assert (before.replacing_order_id, after.replaces_order_id) == (new, old)
    assert before.edited


@case(83, "Replacing a market order: refused, it has no price")
async def replace_market(trader: Trader) -> None:
    trader.script(NEVER)
    placed = await trader.place(leg(trader.fresh(), "Buy to Open", 1), order_type="Market")
    await trader.until(placed.id, "Live")
    refusal = await refusal_of(trader.replace(placed.id, price="-2.00"))
    assert refusal.code == "INVALID_ARGUMENT"
    assert "an order with a limit price" in refusal.words


@case(84, "Cancelled: the broker's word, then the order's")
async def cancelled(trader: Trader) -> None:
    order_id = await working(trader)
    answer = await trader.cancel(order_id)
    assert (answer.success, answer.order_id) == (True, order_id)
    assert answer.status == "Cancel Requested"
    await trader.until(order_id, "Cancelled")


@case(85, "Cancelling what is filled: refused")
async def cancel_filled(trader: Trader) -> None:
    order_id = await working(trader)
    trader.fill(order_id)
    refusal = await refusal_of(trader.cancel(order_id))
    assert refusal.code == "INVALID_ARGUMENT"
    assert "can no longer be changed" in refusal.words


@case(86, "Cancelled twice: both times a success")
async def cancel_twice(trader: Trader) -> None:
    order_id = await working(trader)
    await trader.cancel(order_id)
    assert (await trader.cancel(order_id)).status in ("Cancel Requested", "Cancelled")
    await trader.until(order_id, "Cancelled")
    assert (await trader.cancel(order_id)).status == "Cancelled"


@case(87, "A fill comes before the cancel: the fill wins, and the order says so")
async def cancel_loses_the_race(trader: Trader) -> None:
    order_id = await working(trader)
    answer = await trader.cancel(order_id)
    assert answer.status == "Cancel Requested"
    trader.fill(order_id)
    await trader.until(order_id, "Filled")
    assert (await trader.order(order_id)).status == "Filled"


@case(88, "Cancelling an order that does not exist: not found")
async def cancel_unknown(trader: Trader) -> None:
    for number in ("1", "999999999"):
        refusal = await refusal_of(trader.cancel(number))
        assert refusal.code == "NOT_FOUND", (number, refusal)

    # What can be no number of an order is told so, before anybody is asked.
    for number in ("abc", "../1", "1 OR 1", "٧", "7" * 1000):
        refusal = await refusal_of(trader.cancel(number))
        assert refusal.code == "INVALID_ARGUMENT", (number, refusal)


@case(89, "Cancelling somebody else's order: not found, and it works on")
async def cancel_foreign(trader: Trader) -> None:
    other = await open_trader(trader.gateway, "case-89-other")
    theirs = await working(other)
    assert (await refusal_of(trader.cancel(theirs))).code == "NOT_FOUND"
    assert other.at_broker(theirs).status.value == "Live"
