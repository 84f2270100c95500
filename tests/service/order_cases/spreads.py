"""Prices that we make, and orders of several legs."""

from __future__ import annotations

__all__: list[str] = []

from decimal import Decimal

from tests.ordering import Trader, leg
from tests.service.order_cases.registry import case


@case(
    26,
    "Dry run of stock without a price: mid, natural and passive, quotes and their age",
    trader="spreads",
)
async def dry_run_of_stock(trader: Trader) -> None:
    checked = await trader.place(leg("SPY", "Buy to Open", 1), dry_run=True)
    pricing = checked.pricing
    (quote,) = pricing.quotes
    bid, ask = Decimal(quote.bid_price), Decimal(quote.ask_price)
    assert checked.price_source == "mid"
    assert Decimal(pricing.natural_price) == -ask
    assert Decimal(pricing.passive_price) == -bid
    assert -ask <= Decimal(checked.price) <= -bid
    assert Decimal(checked.price) % Decimal(pricing.tick_size) == 0
    assert 0 <= quote.age_seconds < 60
    assert quote.source == "stream"


@case(27, "A hundred shares cost one share's price a unit", trader="spreads")
async def price_per_unit(trader: Trader) -> None:
    checked = await trader.place(leg("SPY", "Buy to Open", 100), dry_run=True)
    ask = trader.top("SPY").ask
    assert ask is not None
    assert abs(Decimal(checked.price) + ask) < ask / 10
    assert checked.order.size == "100"


@case(
    28,
    "A dry run has no number, no fills, no name in the books, and places nothing",
    trader="spreads",
)
async def dry_run_places_nothing(trader: Trader) -> None:
    before = len(trader.orders)
    checked = await trader.place(
        leg("SPY", "Buy to Open", 1), price="-1.00", dry_run=True, client_order_id="dry"
    )
    assert (checked.id, list(checked.fills), checked.dry_run) == ("", [], True)
    assert checked.status == "Received"
    assert Decimal(checked.buying_power_effect.change_in_buying_power) < 0
    assert len(trader.orders) == before
    placed = await trader.place(leg("SPY", "Buy to Open", 1), price="-1.00", client_order_id="dry")
    assert placed.id


@case(29, "A dry run beyond the buying power says so and is no error", trader="spreads")
async def dry_run_refused(trader: Trader) -> None:
    checked = await trader.place(leg("SPY", "Buy to Open", 40_000), price="-900.00", dry_run=True)
    assert "margin_check_failed" in [error.code for error in checked.errors]
    assert checked.HasField("buying_power_effect")


@case(30, "Placed without a price: at the mid, with the quotes that made it", trader="spreads")
async def placed_at_the_mid(trader: Trader) -> None:
    placed = await trader.place(leg("SPY", "Buy to Open", 1))
    assert placed.price_source == "mid"
    assert placed.price == placed.pricing.mid_price == placed.order.price
    assert trader.at_broker(placed.id).ticket.price == Decimal(placed.price)


@case(31, "Call spread bought: a debit", trader="spreads")
async def call_spread(trader: Trader) -> None:
    low, high = await trader.near("SPY", 20, "C", 2)
    checked = await trader.place(
        leg(low.symbol, "Buy to Open"), leg(high.symbol, "Sell to Open"), dry_run=True
    )
    assert Decimal(checked.price) < 0
    assert len(checked.pricing.quotes) == 2
    assert checked.buying_power_effect.is_spread
    natural, passive = checked.pricing.natural_price, checked.pricing.passive_price
    assert Decimal(natural) <= Decimal(checked.price) <= Decimal(passive)


@case(32, "Put spread sold: a credit, filled on both legs", trader="spreads")
async def put_spread(trader: Trader) -> None:
    low, high = await trader.near("SPY", 20, "P", 2)
    legs = (leg(high.symbol, "Sell to Open"), leg(low.symbol, "Buy to Open"))
    checked = await trader.place(*legs, dry_run=True)
    assert Decimal(checked.price) > 0
    placed = await trader.place(*legs, price=checked.pricing.natural_price)
    trader.fill(placed.id) if (await trader.until(placed.id, "Live", "Filled")).open_units else None
    filled = await trader.until(placed.id, "Filled")
    assert [each.action.value for each in filled.legs] == ["Sell to Open", "Buy to Open"]


@case(33, "Iron condor: four legs in one order", trader="spreads")
async def iron_condor(trader: Trader) -> None:
    puts = await trader.near("SPY", 20, "P", 6)
    calls = await trader.near("SPY", 20, "C", 6)
    placed = await trader.place(
        leg(puts[0].symbol, "Buy to Open"),
        leg(puts[1].symbol, "Sell to Open"),
        leg(calls[-2].symbol, "Sell to Open"),
        leg(calls[-1].symbol, "Buy to Open"),
    )
    assert placed.price_source == "mid"
    assert Decimal(placed.price) > 0
    assert len(trader.at_broker(placed.id).legs) == 4


@case(34, "Ratio spread: one against two", trader="spreads")
async def ratio(trader: Trader) -> None:
    low, high = await trader.near("SPY", 20, "C", 2)
    checked = await trader.place(
        leg(low.symbol, "Buy to Open", 1), leg(high.symbol, "Sell to Open", 2), dry_run=True
    )
    quotes = {quote.symbol: quote for quote in checked.pricing.quotes}
    one, two = quotes[low.symbol], quotes[high.symbol]
    natural = 2 * Decimal(two.bid_price) - Decimal(one.ask_price)
    assert Decimal(checked.pricing.natural_price) == natural


@case(35, "Two against four is two units of one against two", trader="spreads")
async def multiple_of_a_ratio(trader: Trader) -> None:
    low, high = await trader.near("SPY", 20, "C", 2)
    checked = await trader.place(
        leg(low.symbol, "Buy to Open", 2), leg(high.symbol, "Sell to Open", 4), dry_run=True
    )
    quotes = {quote.symbol: quote for quote in checked.pricing.quotes}
    one, two = quotes[low.symbol], quotes[high.symbol]
    natural = 2 * Decimal(two.bid_price) - Decimal(one.ask_price)
    assert Decimal(checked.pricing.natural_price) == natural
    assert checked.order.size == "2"


@case(36, "Calendar: two expirations, one strike", trader="spreads")
async def calendar(trader: Trader) -> None:
    (near,) = await trader.near("SPY", 10, "C", 1)
    later = await trader.options("SPY", 40, "C")
    far = min(later, key=lambda one: abs((one.strike or 0) - (near.strike or 0)))
    placed = await trader.place(leg(near.symbol, "Sell to Open"), leg(far.symbol, "Buy to Open"))
    assert {each.contract.symbol for each in trader.at_broker(placed.id).legs} == {
        near.symbol,
        far.symbol,
    }


@case(37, "Strangle sold: both legs sell, so the price is a credit", trader="spreads")
async def strangle(trader: Trader) -> None:
    put = (await trader.near("SPY", 20, "P", 3))[0]
    call = (await trader.near("SPY", 20, "C", 3))[-1]
    checked = await trader.place(
        leg(put.symbol, "Sell to Open"), leg(call.symbol, "Sell to Open"), dry_run=True
    )
    assert Decimal(checked.price) > 0


@case(38, "Straddle bought: both legs buy, so the price is a debit", trader="spreads")
async def straddle(trader: Trader) -> None:
    (put,) = await trader.near("SPY", 20, "P", 1)
    (call,) = await trader.near("SPY", 20, "C", 1)
    checked = await trader.place(
        leg(put.symbol, "Buy to Open"), leg(call.symbol, "Buy to Open"), dry_run=True
    )
    assert Decimal(checked.price) < 0


@case(39, "Butterfly: one, two, one", trader="spreads")
async def butterfly(trader: Trader) -> None:
    low, middle, high = await trader.near("SPY", 20, "C", 3)
    placed = await trader.place(
        leg(low.symbol, "Buy to Open", 1),
        leg(middle.symbol, "Sell to Open", 2),
        leg(high.symbol, "Buy to Open", 1),
        price="-0.50",
    )
    assert [int(each.quantity or 0) for each in trader.at_broker(placed.id).legs] == [1, 2, 1]


@case(
    40,
    "A spread that costs money, offered for a credit: refused, with the market's price",
    trader="spreads",
)
async def spread_of_the_wrong_sign(trader: Trader) -> None:
    options = await trader.near("SPY", 20, "C", 12)
    low, high = options[0], options[-1]
    refusal = await trader.refused(
        leg(low.symbol, "Buy to Open"), leg(high.symbol, "Sell to Open"), price="2.00"
    )
    assert refusal.code == "INVALID_ARGUMENT"
    assert "this order costs" in refusal.words


@case(
    41,
    "An order by the mid of a spread is filled on every leg, the position shows it",
    trader="spreads",
)
async def filled_spread_is_held(trader: Trader) -> None:
    low, high = await trader.near("SPY", 20, "C", 2)
    placed = await trader.place(leg(low.symbol, "Buy to Open"), leg(high.symbol, "Sell to Open"))
    await trader.until(placed.id, "Live", "Filled")
    if trader.at_broker(placed.id).open_units:
        trader.fill(placed.id)

    await trader.until(placed.id, "Filled")
    shown = await trader.order(placed.id)
    assert all(each.fills for each in shown.legs) or shown.status == "Filled"
