"""The history of an account's value to messages."""

from __future__ import annotations

__all__ = ["net_liquidating_value_to"]

from tasty.v1 import net_liquidating_value_pb2

from server.brokerage.api.history import NetLiquidatingValue
from server.wire.numbers import money_or_none
from server.wire.times import timestamp


def net_liquidating_value_to(
    value: NetLiquidatingValue,
) -> net_liquidating_value_pb2.NetLiquidatingValue:
    return net_liquidating_value_pb2.NetLiquidatingValue(
        time=timestamp(value.time),
        open=money_or_none(value.open) or "",
        high=money_or_none(value.high) or "",
        low=money_or_none(value.low) or "",
        close=money_or_none(value.close) or "",
        pending_cash_open=money_or_none(value.pending_cash_open) or "",
        pending_cash_high=money_or_none(value.pending_cash_high) or "",
        pending_cash_low=money_or_none(value.pending_cash_low) or "",
        pending_cash_close=money_or_none(value.pending_cash_close) or "",
        total_open=money_or_none(value.total_open) or "",
        total_high=money_or_none(value.total_high) or "",
        total_low=money_or_none(value.total_low) or "",
        total_close=money_or_none(value.total_close) or "",
    )
