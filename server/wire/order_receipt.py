"""Converts receipts to messages: what became of an order, with its effects, fees and prices."""

from __future__ import annotations

__all__ = ["complex_receipt_to", "complex_to", "placed_to", "replaced_to", "words_to"]

from collections.abc import Iterable

from tasty.v1 import complex_order_pb2, order_receipt_pb2
from tasty.v1 import order_placement_pb2 as pb

from server.brokerage.api.order_replies import BrokerWord, BuyingPower, ComplexOrder, Fees
from server.brokerage.api.orders import Order
from server.orders.model.pricing import LegQuote, Pricing
from server.orders.model.receipts import Receipt
from server.wire.numbers import decimal_or_none, money, money_or_none
from server.wire.order import order_to
from server.wire.times import timestamp


def placed_to(receipt: Receipt) -> pb.PlaceOrderResponse:
    placement, priced = receipt.placement, receipt.priced
    return pb.PlaceOrderResponse(
        id=receipt.order_id,
        status=receipt.status,
        fills=_fills(placement.order),
        order=None if placement.order is None else order_to(placement.order),
        buying_power_effect=_power(placement.buying_power),
        fee_calculation=_fees(placement.fees),
        warnings=words_to(placement.warnings),
        errors=words_to(placement.errors),
        dry_run=receipt.dry_run,
        price=money_or_none(priced.price),
        price_source=priced.source,
        pricing=_pricing(priced.pricing),
        client_order_id=receipt.client_order_id,
    )


def replaced_to(receipt: Receipt) -> pb.ReplaceOrderResponse:
    order = receipt.placement.order
    return pb.ReplaceOrderResponse(
        id=receipt.order_id,
        replaced_order_id=receipt.replaced_order_id,
        status=receipt.status,
        price=money_or_none(receipt.priced.price) or "",
        fills=_fills(order),
        order=None if order is None else order_to(order),
        price_source=receipt.priced.source,
        client_order_id=receipt.client_order_id,
    )


def complex_receipt_to(receipt: Receipt) -> pb.PlaceComplexOrderResponse:
    placement = receipt.placement
    whole = placement.complex_order
    return pb.PlaceComplexOrderResponse(
        id=receipt.order_id,
        status=receipt.status,
        complex_order=None if whole is None else complex_to(whole),
        buying_power_effect=_power(placement.buying_power),
        fee_calculation=_fees(placement.fees),
        warnings=words_to(placement.warnings),
        errors=words_to(placement.errors),
        dry_run=receipt.dry_run,
        client_order_id=receipt.client_order_id,
    )


def complex_to(whole: ComplexOrder) -> complex_order_pb2.ComplexOrder:
    trigger = whole.trigger_order
    return complex_order_pb2.ComplexOrder(
        id=whole.id,
        account_number=whole.account_number or "",
        type=whole.type or "",
        trigger_order=None if trigger is None else order_to(trigger),
        orders=[order_to(part) for part in whole.orders],
        terminal_at=timestamp(whole.terminal_at),
        external_identifier=whole.external_identifier or "",
    )


def _fills(order: Order | None) -> Iterable[order_receipt_pb2.Fill]:
    legs = () if order is None else order.legs
    return [
        order_receipt_pb2.Fill(
            price=money_or_none(fill.fill_price) or "", quantity=float(fill.quantity or 0)
        )
        for leg in legs
        for fill in leg.fills
    ]


def _power(power: BuyingPower | None) -> order_receipt_pb2.BuyingPowerEffect | None:
    if power is None:
        return None

    return order_receipt_pb2.BuyingPowerEffect(
        change_in_margin_requirement=money_or_none(power.change_in_margin_requirement) or "",
        change_in_buying_power=money_or_none(power.change_in_buying_power) or "",
        current_buying_power=money_or_none(power.current_buying_power) or "",
        new_buying_power=money_or_none(power.new_buying_power) or "",
        isolated_order_margin_requirement=money_or_none(power.isolated_order_margin_requirement)
        or "",
        is_spread=power.is_spread,
        impact=money_or_none(power.impact) or "",
        effect=power.effect or "",
    )


def _fees(fees: Fees | None) -> order_receipt_pb2.FeeCalculation | None:
    if fees is None:
        return None

    return order_receipt_pb2.FeeCalculation(
        regulatory_fees=money_or_none(fees.regulatory_fees) or "",
        clearing_fees=money_or_none(fees.clearing_fees) or "",
        commission=money_or_none(fees.commission) or "",
        proprietary_index_option_fees=money_or_none(fees.proprietary_index_option_fees) or "",
        total_fees=money_or_none(fees.total_fees) or "",
    )


def words_to(words: Iterable[BrokerWord]) -> list[order_receipt_pb2.BrokerMessage]:
    return [order_receipt_pb2.BrokerMessage(code=w.code, message=w.message) for w in words]


def _pricing(pricing: Pricing | None) -> order_receipt_pb2.OrderPricing | None:
    if pricing is None:
        return None

    return order_receipt_pb2.OrderPricing(
        natural_price=money(pricing.natural),
        mid_price=money(pricing.mid),
        passive_price=money(pricing.passive),
        tick_size=decimal_or_none(pricing.tick) or "",
        quotes=[_quote(quote) for quote in pricing.quotes],
    )


def _quote(quote: LegQuote) -> order_receipt_pb2.LegQuote:
    return order_receipt_pb2.LegQuote(
        symbol=quote.symbol,
        bid_price=money_or_none(quote.bid),
        ask_price=money_or_none(quote.ask),
        received_at=timestamp(quote.received_at),
        age_seconds=quote.age.total_seconds(),
        source=quote.source,
    )
