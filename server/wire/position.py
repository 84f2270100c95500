"""Positions to messages."""

from __future__ import annotations

__all__ = ["missing_of", "position_to"]

from collections.abc import Iterator

from tasty.v1 import account_service_pb2, position_pb2

from server.portfolio.valuation import ValuedPosition
from server.wire.numbers import decimal_or_none, decimal_text, money_or_none
from server.wire.times import timestamp


def position_to(valued: ValuedPosition) -> position_pb2.Position:
    position, price = valued.position, valued.price
    greeks, totals = valued.greeks, valued.position_greeks
    return position_pb2.Position(
        symbol=position.symbol,
        quantity=float(position.quantity),
        average_open_price=money_or_none(position.average_open_price) or "",
        current_price=money_or_none(price.value) if price else None,
        unrealized_pnl=money_or_none(valued.unrealized_pnl),
        delta=decimal_or_none(greeks.delta),
        gamma=decimal_or_none(greeks.gamma),
        theta=decimal_or_none(greeks.theta),
        vega=decimal_or_none(greeks.vega),
        account_number=position.account_number,
        instrument_type=position.instrument_type,
        underlying_symbol=position.underlying_symbol,
        streamer_symbol=position.streamer_symbol or "",
        quantity_direction=position.quantity_direction,
        multiplier=decimal_text(position.multiplier),
        mark=money_or_none(position.mark),
        mark_price=money_or_none(position.mark_price),
        close_price=money_or_none(position.close_price) or "",
        cost_effect=position.cost_effect or "",
        realized_day_gain=money_or_none(position.realized_day_gain) or "",
        realized_today=money_or_none(position.realized_today) or "",
        expires_at=timestamp(position.expires_at),
        created_at=timestamp(position.created_at),
        updated_at=timestamp(position.updated_at),
        position_delta=decimal_or_none(totals.delta),
        position_gamma=decimal_or_none(totals.gamma),
        position_theta=decimal_or_none(totals.theta),
        position_vega=decimal_or_none(totals.vega),
        price_source=price.source if price else "",
        price_time=timestamp(price.time) if price else None,
    )


def missing_of(valued: ValuedPosition) -> Iterator[account_service_pb2.PositionError]:
    """Yields a sentence for each figure that the position should have and has not."""
    position = valued.position
    if valued.price is None:
        yield account_service_pb2.PositionError(
            symbol=position.symbol, reason="No price: neither the feed nor the broker has one."
        )

    if position.is_option and valued.greeks.delta is None:
        yield account_service_pb2.PositionError(
            symbol=position.symbol, reason="No greeks: the feed did not send any in time."
        )
