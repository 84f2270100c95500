"""Converts an order to the plain JSON that the journal stores: its terms and how it was priced.

A reply is made of nothing but the row, the first as well as every repeat: so they are the same.
"""

from __future__ import annotations

__all__ = ["Priced", "priced_of", "record_of", "symbols_of"]

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from server.brokerage.api.order_specs import ComplexSpec, LegSpec, OrderSpec
from server.orders.model.pricing import LegQuote, Pricing

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """The price of an order that was sent, and where it came from."""

    price: Decimal | None
    source: str
    pricing: Pricing | None


def record_of(
    spec: OrderSpec | ComplexSpec | None, *, source: str = "", pricing: Pricing | None = None
) -> Json:
    """Returns what is stored of an order before it is sent."""
    shown: Json | None
    match spec:
        case None:
            shown = None
        case OrderSpec():
            shown = _spec(spec)
        case ComplexSpec():
            parts = ([spec.trigger] if spec.trigger else []) + list(spec.orders)
            shown = {"type": spec.type, "orders": [_spec(part) for part in parts]}

    return {
        "spec": shown,
        "price_source": source,
        "pricing": None if pricing is None else _pricing(pricing),
    }


def priced_of(record: Json) -> Priced:
    """Returns the price in a record."""
    spec, pricing = record.get("spec") or {}, record.get("pricing")
    price = spec.get("price")
    return Priced(
        price=None if price is None else Decimal(price),
        source=record.get("price_source", ""),
        pricing=None if pricing is None else _pricing_from(pricing),
    )


def symbols_of(record: Json) -> frozenset[str]:
    """Returns the symbols of all legs; empty where the record has none."""
    spec = record.get("spec") or {}
    orders = spec.get("orders") or [spec]
    return frozenset(leg["symbol"] for order in orders for leg in order.get("legs", ()))


def _spec(spec: OrderSpec) -> Json:
    return {
        "legs": [_leg(leg) for leg in spec.legs],
        "order_type": spec.order_type,
        "time_in_force": spec.time_in_force,
        "price": _text(spec.price),
        "stop_trigger": _text(spec.stop_trigger),
        "value": _text(spec.value),
        "gtc_date": None if spec.gtc_date is None else spec.gtc_date.isoformat(),
    }


def _leg(leg: LegSpec) -> Json:
    return {
        "symbol": leg.symbol,
        "instrument_type": leg.instrument_type,
        "action": leg.action,
        "quantity": _text(leg.quantity),
    }


def _pricing(pricing: Pricing) -> Json:
    return {
        "natural": _text(pricing.natural),
        "mid": _text(pricing.mid),
        "passive": _text(pricing.passive),
        "tick": _text(pricing.tick),
        "quotes": [
            {
                "symbol": quote.symbol,
                "bid": _text(quote.bid),
                "ask": _text(quote.ask),
                "received_at": quote.received_at.isoformat(),
                "age_s": quote.age.total_seconds(),
                "source": quote.source,
                "stale": quote.stale,
            }
            for quote in pricing.quotes
        ],
    }


def _pricing_from(kept: Json) -> Pricing:
    return Pricing(
        natural=Decimal(kept["natural"]),
        mid=Decimal(kept["mid"]),
        passive=Decimal(kept["passive"]),
        tick=Decimal(kept["tick"]),
        quotes=tuple(
            LegQuote(
                symbol=quote["symbol"],
                bid=None if quote["bid"] is None else Decimal(quote["bid"]),
                ask=None if quote["ask"] is None else Decimal(quote["ask"]),
                received_at=datetime.fromisoformat(quote["received_at"]),
                age=timedelta(seconds=quote["age_s"]),
                source=quote["source"],
                stale=quote["stale"],
            )
            for quote in kept["quotes"]
        ),
    )


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"
