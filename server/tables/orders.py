"""Orders as text, their legs in one cell."""

from __future__ import annotations

__all__ = ["orders_table"]

from collections.abc import Iterable, Sequence

from tasty.v1 import order_pb2

from server.tables.plain import plain_table


def orders_table(orders: Sequence[order_pb2.Order]) -> str:
    return plain_table(orders, {"legs": _legs})


def _legs(legs: Iterable[order_pb2.OrderLeg]) -> str:
    return "; ".join(f"{leg.action} {leg.quantity:.15g} {leg.symbol}" for leg in legs)
