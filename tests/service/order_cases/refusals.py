"""What is refused before the broker sees it, and what the broker or the exchange refuses."""

from __future__ import annotations

__all__: list[str] = []

from datetime import timedelta
from decimal import Decimal

from server.simulator.exchange.orders import Script
from tests.ordering import Refusal, Trader, leg, open_trader, refusal_of
from tests.service.order_cases.registry import case
from tests.waiting import eventually


def bad(refusal: Refusal, *words: str) -> None:
    assert refusal.code == "INVALID_ARGUMENT", refusal
    for each in words:
        assert each in refusal.words, refusal


@case(42, "Stock between two ticks: refused, with the nearest", trader="options")
async def stock_off_tick(trader: Trader) -> None:
    refusal = await trader.refused(leg("SPY", "Buy", 1), price="-500.001")
    bad(refusal, "Invalid price -500.001", "tick, which is 0.01", "-500.01 and -500.00")


@case(43, "Option below the threshold: the finer tick holds", trader="options")
async def option_below_the_threshold(trader: Trader) -> None:
    option = (await trader.near("AAPL", 20, "C", 1))[0]
    below, finer = option.ticks[0]
    assert below is not None
    placed = await trader.place(leg(option.symbol, "Buy to Open"), price=-(below - finer))
    assert Decimal(placed.order.price) == -(below - finer)
    await trader.until(placed.id, "Live", "Filled")


@case(44, "Option above the threshold, on the finer tick: refused", trader="options")
async def option_above_the_threshold(trader: Trader) -> None:
    option = (await trader.near("AAPL", 20, "C", 1))[0]
    below, finer = option.ticks[0]
    assert below is not None
    coarser = option.ticks[-1][1]
    refusal = await trader.refused(leg(option.symbol, "Buy to Open"), price=-(below + finer))
    bad(refusal, f"tick, which is {coarser.normalize():f}")


@case(45, "Option at the threshold itself: the coarser tick, on which it stands", trader="options")
async def option_at_the_threshold(trader: Trader) -> None:
    option = (await trader.near("AAPL", 20, "C", 1))[0]
    below = option.ticks[0][0]
    assert below is not None
    placed = await trader.place(leg(option.symbol, "Buy to Open"), price=-below)
    assert (await trader.until(placed.id, "Live", "Filled")).reject_reason is None


@case(46, "Future between two ticks: refused", trader="options")
async def future_off_tick(trader: Trader) -> None:
    from tests.service.order_cases.single_orders import future

    refusal = await trader.refused(leg(future(trader), "Buy", 1), price="-1000.10")
    bad(refusal, "tick, which is 0.25", "-1000.25 and -1000.00")


@case(47, "Trigger between two ticks: refused", trader="options")
async def trigger_off_tick(trader: Trader) -> None:
    refusal = await trader.refused(
        leg("SPY", "Buy to Open", 1), order_type="Stop", stop_trigger="900.005"
    )
    bad(refusal, "Invalid stop_trigger 900.005")


@case(48, "Price 0: refused", trader="options")
async def price_zero(trader: Trader) -> None:
    bad(await trader.refused(leg("SPY", "Buy", 1), price="0.00"), "Invalid price '0.00'")


@case(49, "Quantity 0: refused", trader="options")
async def quantity_zero(trader: Trader) -> None:
    bad(await trader.refused(leg("SPY", "Buy", 0), price="-1"), "Invalid legs[0].quantity")


@case(50, "Quantity below 0: refused", trader="options")
async def quantity_negative(trader: Trader) -> None:
    bad(await trader.refused(leg("SPY", "Buy", -1), price="-1"), "Invalid legs[0].quantity '-1.0'")


@case(51, "A fraction of a share at a limit: refused", trader="options")
async def fraction_of_a_share(trader: Trader) -> None:
    bad(await trader.refused(leg("SPY", "Buy", 1.5), price="-1"), "'1.5'. Expected a whole number")


@case(52, "Five legs: refused", trader="options")
async def five_legs(trader: Trader) -> None:
    calls = await trader.near("SPY", 20, "C", 5)
    legs = [leg(each.symbol, "Buy to Open") for each in calls]
    bad(await trader.refused(*legs, price="-1"), "Too many legs: 5 given, 4 allowed")


@case(53, "The same leg twice: refused", trader="options")
async def same_leg_twice(trader: Trader) -> None:
    (call,) = await trader.near("SPY", 20, "C", 1)
    legs = (leg(call.symbol, "Buy to Open"), leg(call.symbol, "Sell to Open"))
    bad(await trader.refused(*legs, price="-1"), "legs[1].symbol", "no other leg has")


@case(54, "Stock beside an option: refused", trader="options")
async def stock_beside_option(trader: Trader) -> None:
    (call,) = await trader.near("SPY", 20, "C", 1)
    legs = (leg("SPY", "Buy to Open", 100), leg(call.symbol, "Sell to Open"))
    bad(await trader.refused(*legs, price="-1"), "Equity, Equity Option", "of one kind")


@case(55, "An expired contract: refused", trader="options")
async def expired(trader: Trader) -> None:
    symbol = "SPY   200117C00300000"
    bad(await trader.refused(leg(symbol, "Buy to Open"), price="-1"), "has not expired")


@case(56, "An index: refused, since only options on it are for sale", trader="options")
async def index(trader: Trader) -> None:
    bad(await trader.refused(leg("SPX", "Buy", 1), price="-1"), "an index cannot")


@case(57, "An unknown symbol: not found", trader="options")
async def unknown_symbol(trader: Trader) -> None:
    refusal = await trader.refused(leg("NOSUCH", "Buy", 1), price="-1")
    assert refusal.code == "NOT_FOUND"
    assert "'NOSUCH' not found" in refusal.words


@case(58, "A strike that is not listed: not found, with the nearest that are", trader="options")
async def unknown_strike(trader: Trader) -> None:
    (call,) = await trader.near("SPY", 20, "C", 1)
    day = f"20{call.symbol[6:8]}-{call.symbol[8:10]}-{call.symbol[10:12]}"
    wanted = leg("SPY", "Buy to Open", 1, option_type="C", strike_price=1.25, expiration_date=day)
    refusal = await trader.refused(wanted, price="-1")
    assert refusal.code == "NOT_FOUND"
    assert "Available strikes" in refusal.words


@case(59, "Somebody else's account: not found, as one that does not exist")
async def foreign_account(trader: Trader) -> None:
    other = await open_trader(trader.gateway, "case-59-other")
    wanted = leg("SPY", "Buy", 1)
    theirs = await trader.refused(wanted, price="-1", account=other.account)
    nobodys = await trader.refused(wanted, price="-1", account="5WXXXXXX")
    assert theirs.code == nobodys.code == "NOT_FOUND"
    assert theirs.words.replace(other.account, "") == nobodys.words.replace("5WXXXXXX", "")
    assert other.orders == [] or all(not each.ticket.external_identifier for each in other.orders)


@case(60, "Buy, without open or close, of an option: refused", trader="options")
async def short_word_for_an_option(trader: Trader) -> None:
    (call,) = await trader.near("SPY", 20, "C", 1)
    bad(await trader.refused(leg(call.symbol, "Buy"), price="-1"), "Buy to Open or Buy to Close")


@case(61, "Market order with a price: refused", trader="options")
async def market_with_price(trader: Trader) -> None:
    refusal = await trader.refused(leg("SPY", "Buy", 1), price="-1", order_type="Market")
    bad(refusal, "nothing there in a Market order")


@case(62, "Market order good till cancelled: refused", trader="options")
async def market_good_till_cancelled(trader: Trader) -> None:
    refusal = await trader.refused(leg("SPY", "Buy", 1), order_type="Market", time_in_force="GTC")
    bad(refusal, "Day or IOC")


@case(63, "Beyond the buying power: refused in the broker's words")
async def beyond_buying_power(trader: Trader) -> None:
    refusal = await trader.refused(leg("SPY", "Buy to Open", 40_000), price="-900.00")
    bad(refusal, "does not have sufficient buying power")


@case(64, "Closing what is not held: refused by the broker, not turned into opening")
async def closing_nothing(trader: Trader) -> None:
    refusal = await trader.refused(leg(trader.fresh(), "Sell to Close", 1), price="1.00")
    bad(refusal, "without an existing position")


@case(65, "Rejected by the exchange after the broker took it: the order says why")
async def rejected_later(trader: Trader) -> None:
    trader.script(Script(behaviour="reject", reason="Halted"))
    placed = await trader.place(leg("SPY", "Buy to Open", 1), price="-1.00")
    assert placed.status in ("Routed", "Received")
    await trader.until(placed.id, "Rejected")
    shown = await trader.order(placed.id)
    assert (shown.status, shown.reject_reason) == ("Rejected", "Halted")


@case(66, "A purchase for a credit: refused", trader="options")
async def wrong_sign(trader: Trader) -> None:
    bad(await trader.refused(leg("SPY", "Buy", 1), price="1.00"), "the order buys")


@case(67, "A sale for a debit: refused", trader="options")
async def wrong_sign_of_a_sale(trader: Trader) -> None:
    bad(await trader.refused(leg("SPY", "Sell", 1), price="-1.00"), "the order sells")


@case(68, "Selling short in a cash account: refused in the broker's words")
async def short_in_cash(trader: Trader) -> None:
    refusal = await refusal_of(
        trader.place(leg("DIA", "Sell", 1), price="9000.00", account=trader.cash_account)
    )
    bad(refusal, "may not sell short")


@case(69, "No legs at all: refused", trader="options")
async def no_legs(trader: Trader) -> None:
    bad(await trader.refused(price="-1"), "At least one leg is required")


@case(70, "Words that do not exist: refused, with those that do", trader="options")
async def unknown_words(trader: Trader) -> None:
    wanted = leg("SPY", "Buy", 1)
    bad(await trader.refused(wanted, price="-1", time_in_force="day"), "one of Day, GTC, IOC")
    bad(await trader.refused(wanted, price="-1", order_type="limit"), "one of Limit, Market")
    bad(await trader.refused(leg("SPY", "buy", 1), price="-1"), "legs[0].action 'buy'")


@case(71, "Options on two underlyings in one order: refused", trader="options")
async def two_underlyings(trader: Trader) -> None:
    (one,) = await trader.near("SPY", 20, "C", 1)
    (two,) = await trader.near("AAPL", 20, "C", 1)
    legs = (leg(one.symbol, "Buy to Open"), leg(two.symbol, "Sell to Open"))
    bad(await trader.refused(*legs, price="-1"), "options on one underlying")


@case(
    72,
    "An order beyond a million units or dollars: a slip of the finger, refused",
    trader="options",
)
async def slip_of_the_finger(trader: Trader) -> None:
    bad(await trader.refused(leg("SPY", "Buy", 2e6), price="-1"), "legs[0].quantity")
    bad(await trader.refused(leg("SPY", "Buy", 1), price="-1000000.01"), "Invalid price")


@case(73, "Half filled, then the rest")
async def partial_fill(trader: Trader) -> None:
    delay = timedelta(milliseconds=300)
    trader.script(Script(behaviour="partial", delay=delay))
    placed = await trader.place(leg(trader.fresh(), "Buy to Open", 10), price="-2000.00")
    order = trader.at_broker(placed.id)
    await eventually(lambda: order.has_fills)
    shown = await trader.order(placed.id)
    assert (shown.status, shown.legs[0].remaining_quantity) == ("Live", 5)
    await trader.until(placed.id, "Filled")
    shown = await trader.order(placed.id)
    assert [fill.quantity for fill in shown.legs[0].fills] == [5, 5]
