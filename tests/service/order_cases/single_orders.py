"""Orders of one leg: every kind of instrument, side, type and time in force."""

from __future__ import annotations

__all__: list[str] = []

from decimal import Decimal

from server.simulator.market.futures import PRODUCTS, list_contracts
from tests.ordering import NEVER, Trader, leg
from tests.service.order_cases.registry import case

FAR = "-1.00"
"""A price at which nobody sells."""


@case(1, "Buy stock at the market's price: filled, sent as Buy to Open")
async def buy_stock(trader: Trader) -> None:
    symbol = trader.fresh()
    ask = trader.top(symbol).ask
    assert ask is not None
    placed = await trader.place(leg(symbol, "Buy", 3), price=-(ask + 1))
    assert placed.status in ("Routed", "Received")
    assert placed.order.legs[0].action == "Buy to Open"
    filled = await trader.until(placed.id, "Filled")
    assert filled.legs[0].filled == 3
    assert trader.named(placed.client_order_id) == [filled]


@case(2, "Sell held stock: sent as Sell to Close")
async def sell_held(trader: Trader) -> None:
    symbol = trader.fresh()
    await trader.bought(symbol, 2)
    placed = await trader.place(leg(symbol, "Sell", 2), price="0.01")
    assert placed.order.legs[0].action == "Sell to Close"
    assert trader.at_broker(placed.id).ticket.strict
    await trader.until(placed.id, "Filled")


@case(3, "Sell stock that is not held: sent as Sell to Open")
async def sell_short(trader: Trader) -> None:
    placed = await trader.place(leg(trader.fresh(), "Sell", 1), price="9000.00")
    assert placed.order.legs[0].action == "Sell to Open"
    assert not trader.at_broker(placed.id).ticket.strict


@case(4, "Buy stock that is held short: sent as Buy to Close")
async def buy_back(trader: Trader) -> None:
    symbol = trader.fresh()
    short = await trader.place(leg(symbol, "Sell", 2), order_type="Market")
    await trader.until(short.id, "Filled")
    placed = await trader.place(leg(symbol, "Buy", 2), order_type="Market")
    assert placed.order.legs[0].action == "Buy to Close"
    assert trader.at_broker(placed.id).ticket.strict


@case(5, "An explicit Buy to Open stays what it is")
async def explicit(trader: Trader) -> None:
    placed = await trader.place(leg(trader.fresh(), "Buy to Open", 1), price=FAR)
    assert placed.order.legs[0].action == "Buy to Open"


@case(6, "Market order: no price, filled at the offer")
async def market_buy(trader: Trader) -> None:
    placed = await trader.place(leg("SPY", "Buy to Open", 1), order_type="Market")
    assert not placed.HasField("price")
    assert placed.price_source == ""
    await trader.until(placed.id, "Filled")
    shown = await trader.order(placed.id)
    assert Decimal(shown.legs[0].fills[0].fill_price) > 0


@case(7, "Market order that sells what is held")
async def market_sell(trader: Trader) -> None:
    symbol = trader.fresh()
    await trader.bought(symbol, 1)
    placed = await trader.place(leg(symbol, "Sell", 1), order_type="Market")
    assert placed.order.legs[0].action == "Sell to Close"
    await trader.until(placed.id, "Filled")


@case(8, "Stop: works until its trigger is touched")
async def stop(trader: Trader) -> None:
    symbol = trader.fresh()
    await trader.bought(symbol, 1)
    trigger = Decimal("1.00")
    placed = await trader.place(
        leg(symbol, "Sell", 1), order_type="Stop", stop_trigger=trigger, time_in_force="GTC"
    )
    assert Decimal(placed.order.stop_trigger) == trigger
    assert not placed.order.HasField("price")
    assert (await trader.until(placed.id, "Live")).triggered is False


@case(9, "Stop limit: both prices reach the broker")
async def stop_limit(trader: Trader) -> None:
    placed = await trader.place(
        leg(trader.fresh(), "Buy to Open", 1),
        order_type="Stop Limit",
        stop_trigger="2000.00",
        price="-2001.00",
    )
    ticket = trader.at_broker(placed.id).ticket
    assert (ticket.stop_trigger, ticket.price) == (Decimal(2000), Decimal(-2001))


@case(10, "Notional order: dollars instead of shares")
async def notional_stock(trader: Trader) -> None:
    placed = await trader.place(
        leg(trader.fresh(), "Buy to Open", None), order_type="Notional Market", value="-150.00"
    )
    filled = await trader.until(placed.id, "Filled")
    assert 0 < filled.legs[0].filled < 150
    assert Decimal((await trader.order(placed.id)).value) == -150


@case(11, "Notional order of a coin")
async def notional_coin(trader: Trader) -> None:
    placed = await trader.place(
        leg("BTC/USD", "Buy", None), order_type="Notional Market", value="-50"
    )
    assert placed.order.legs[0].action == "Buy to Open"
    await trader.until(placed.id, "Filled")


@case(12, "A fraction of a coin, at a limit")
async def fraction_of_a_coin(trader: Trader) -> None:
    placed = await trader.place(leg("BTC/USD", "Buy", 0.001), price="-1.00")
    assert placed.order.legs[0].quantity == 0.001
    assert trader.at_broker(placed.id).legs[0].quantity == Decimal("0.001")


@case(13, "Buy a future: the short word is sent as it is")
async def buy_future(trader: Trader) -> None:
    symbol = future(trader)
    placed = await trader.place(leg(symbol, "Buy", 1), price="-1000.00")
    assert placed.order.legs[0].action == "Buy"
    assert placed.order.legs[0].instrument_type == "Future"


@case(14, "Sell a future at the market")
async def sell_future(trader: Trader) -> None:
    placed = await trader.place(leg(future(trader), "Sell", 1), order_type="Market")
    assert placed.order.legs[0].action == "Sell"
    await trader.until(placed.id, "Filled")


@case(
    15,
    "Buy an option by underlying, type, strike and expiration, as the guide shows",
    trader="options",
)
async def option_by_parts(trader: Trader) -> None:
    (put,) = await trader.near("SPY", 20, "P", 1)
    assert put.strike is not None
    assert put.expires_at is not None
    placed = await trader.place(
        leg(
            "SPY",
            "Buy to Open",
            1,
            option_type="P",
            strike_price=float(put.strike),
            expiration_date=f"20{put.symbol[6:8]}-{put.symbol[8:10]}-{put.symbol[10:12]}",
        ),
        price="-0.05",
    )
    assert placed.order.legs[0].symbol == put.symbol
    assert placed.order.underlying_symbol == "SPY"


@case(16, "Buy an option by its OCC symbol", trader="options")
async def option_by_occ(trader: Trader) -> None:
    (call,) = await trader.near("SPY", 20, "C", 1)
    placed = await trader.place(leg(call.symbol, "Buy to Open", 1), price="-0.05")
    assert placed.order.legs[0].symbol == call.symbol


@case(17, "Buy an option by its dxFeed symbol", trader="options")
async def option_by_streamer_symbol(trader: Trader) -> None:
    (call,) = await trader.near("SPY", 20, "C", 1)
    assert call.streamer_symbol is not None
    placed = await trader.place(leg(call.streamer_symbol, "Buy to Open", 1), price="-0.05")
    assert placed.order.legs[0].symbol == call.symbol


@case(18, "Sell a put to open, for a credit", trader="options")
async def short_put(trader: Trader) -> None:
    (put,) = await trader.near("SPY", 20, "P", 1)
    placed = await trader.place(leg(put.symbol, "Sell to Open", 1), price="90.00")
    assert Decimal(placed.order.price) == 90
    assert not trader.at_broker(placed.id).ticket.strict


@case(19, "Sell an option to close what was bought, strictly", trader="options")
async def option_closed(trader: Trader) -> None:
    (call,) = await trader.near("SPY", 20, "C", 1)
    bought = await trader.place(leg(call.symbol, "Buy to Open", 1), order_type="Market")
    await trader.until(bought.id, "Filled")
    placed = await trader.place(leg(call.symbol, "Sell to Close", 1), price="0.01")
    assert trader.at_broker(placed.id).ticket.strict
    await trader.until(placed.id, "Filled")


@case(20, "Buy an option to close what was sold, strictly", trader="options")
async def option_bought_back(trader: Trader) -> None:
    (put,) = await trader.near("SPY", 20, "P", 1)
    sold = await trader.place(leg(put.symbol, "Sell to Open", 1), order_type="Market")
    await trader.until(sold.id, "Filled")
    placed = await trader.place(leg(put.symbol, "Buy to Close", 1), order_type="Market")
    assert trader.at_broker(placed.id).ticket.strict
    await trader.until(placed.id, "Filled")


@case(21, "Good till cancelled: stays live")
async def good_till_cancelled(trader: Trader) -> None:
    placed = await trader.place(leg(trader.fresh(), "Buy", 1), price=FAR, time_in_force="GTC")
    assert placed.order.time_in_force == "GTC"
    assert (await trader.until(placed.id, "Live")).expires_at is None


@case(22, "Immediate or cancel that finds nobody: cancelled")
async def immediate_cancelled(trader: Trader) -> None:
    placed = await trader.place(leg(trader.fresh(), "Buy", 1), price=FAR, time_in_force="IOC")
    await trader.until(placed.id, "Cancelled")


@case(23, "Immediate or cancel that finds somebody: filled")
async def immediate_filled(trader: Trader) -> None:
    placed = await trader.place(
        leg(trader.fresh(), "Buy", 1), price="-2000.00", time_in_force="IOC"
    )
    await trader.until(placed.id, "Filled")


@case(24, "An option on a future", trader="options")
async def future_option(trader: Trader) -> None:
    one = (await trader.near(future(trader), 10, "C", 1))[0]
    placed = await trader.place(leg(one.symbol, "Buy to Open", 1), price="-0.05")
    assert placed.order.legs[0].instrument_type == "Future Option"
    assert Decimal(placed.order.price) == Decimal("-0.05")


@case(25, "An order that the exchange leaves alone stays live, and is listed")
async def live(trader: Trader) -> None:
    trader.script(NEVER)
    placed = await trader.place(leg(trader.fresh(), "Buy", 1), price="-2000.00")
    await trader.until(placed.id, "Live")
    assert (await trader.order(placed.id)).status == "Live"


def future(trader: Trader) -> str:
    """Returns the /ES contract of the next quarter but one: far from its last day."""
    listed = list_contracts(PRODUCTS["ES"], trader.gateway.sim.market.listing.today())
    return listed[1].symbol
