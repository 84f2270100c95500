"""What an order commits, as the agent's caps count it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tasty.v1 import order_pb2
from tasty.v1.order_placement_pb2 import PlaceComplexOrderResponse, PlaceOrderResponse

from server.agent.notional import notional_of


def receipt(
    *legs: tuple[str, str, str, float], price: str = "", taken: str = ""
) -> PlaceOrderResponse:
    made = PlaceOrderResponse()
    for symbol, kind, action, quantity in legs:
        made.order.legs.add(symbol=symbol, instrument_type=kind, action=action, quantity=quantity)
        quote = made.pricing.quotes.add(symbol=symbol)
        quote.bid_price, quote.ask_price = "1.90", "2.10"

    if price:
        made.price = price

    if taken:
        made.buying_power_effect.change_in_buying_power = taken

    return made


OPTION = ("A", "Equity Option", "Buy to Open", 3.0)
SHORT = ("B", "Equity Option", "Sell to Open", 3.0)
STOCK = ("SPY", "Equity", "Buy to Open", 10.0)


@pytest.mark.parametrize(
    ("made", "notional"),
    [
        (receipt(STOCK, price="-600"), 6000),
        (receipt(STOCK), 20),
        (receipt(OPTION, price="-4.50"), 1350),
        (receipt(OPTION, SHORT, price="-0.10"), 1200),
        (receipt(SHORT, price="2.00", taken="-9000"), 9000),
        (receipt(STOCK, price="-600", taken="-3000"), 6000),
        (receipt(("/ESZ6", "Future", "Buy", 1.0), price="-6000", taken="-21000"), 21000),
        (receipt(("SPY", "Equity", "Sell to Close", 10.0), price="600", taken="6000"), 0),
        (receipt(("/ESZ6", "Future", "Buy", 1.0), price="-6000"), None),
        (PlaceOrderResponse(), None),
    ],
)
def test_notional(made: PlaceOrderResponse, notional: int | None) -> None:
    assert notional_of(made) == (None if notional is None else Decimal(notional))


def test_an_order_for_an_amount_counts_that_amount() -> None:
    made = PlaceOrderResponse()
    made.order.value = "-250"
    assert notional_of(made) == 250

    made.order.legs.add(instrument_type="Cryptocurrency", action="Sell to Close")
    assert notional_of(made) == 0


Leg = tuple[str, str, str, float]


def part(leg: Leg, *, price: str = "", trigger: str = "") -> order_pb2.Order:
    order = receipt(leg, price=price).order
    if price:
        order.price = price

    if trigger:
        order.stop_trigger = trigger

    return order


def several(
    kind: str, *orders: order_pb2.Order, first: order_pb2.Order | None = None, taken: str = ""
) -> PlaceComplexOrderResponse:
    made = PlaceComplexOrderResponse()
    made.complex_order.type = kind
    made.complex_order.orders.extend(orders)
    if first is not None:
        made.complex_order.trigger_order.CopyFrom(first)

    if taken:
        made.buying_power_effect.change_in_buying_power = taken

    return made


BUY = part(STOCK, price="-600")
SELL = part(("SPY", "Equity", "Sell to Close", 10.0), price="650")
STOP = part(("SPY", "Equity", "Sell to Close", 10.0), trigger="550")
SPREAD = receipt(OPTION, SHORT).order
SPREAD.price = "-0.50"


@pytest.mark.parametrize(
    ("made", "notional"),
    [
        # The broker nets what is bought against what is sold later: it takes no buying power.
        (several("OTOCO", SELL, STOP, first=BUY, taken="3500"), 6000),
        (several("OTO", BUY, first=BUY), 12000),
        (several("OCO", BUY, BUY), 6000),
        (several("OCO", BUY, BUY, taken="-9000"), 9000),
        (several("OCO", SELL, STOP, taken="-10"), 0),
        (several("OTO", part(STOCK, trigger="500"), first=SELL), 5000),
        (several("OCO", SPREAD, SPREAD), 300),
        (several("OTO", part(STOCK), first=SELL, taken="-10"), None),
        (several("OTO", SELL, first=part(("/ESZ6", "Future", "Buy", 1.0), price="-1")), None),
        (several("OTO", taken="-10"), None),
        (PlaceComplexOrderResponse(), None),
    ],
)
def test_of_orders_that_depend_each_part_counts(
    made: PlaceComplexOrderResponse, notional: int | None
) -> None:
    assert notional_of(made) == (None if notional is None else Decimal(notional))
