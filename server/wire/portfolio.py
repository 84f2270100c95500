"""A live portfolio as messages of its stream."""

from __future__ import annotations

__all__ = ["portfolio_update", "totals_to"]

from tasty.v1 import account_service_pb2 as pb
from tasty.v1 import position_pb2, stream_pb2

from server.portfolio.position_reader import PortfolioUpdate
from server.portfolio.totals import Totals
from server.wire.numbers import decimal_or_none, decimal_text, money
from server.wire.position import position_to


def portfolio_update(update: PortfolioUpdate) -> pb.StreamPositionsResponse:
    """Returns a snapshot, or what changed since the message before."""
    message = pb.StreamPositionsResponse(
        kind=stream_pb2.STREAM_EVENT_KIND_SNAPSHOT
        if update.snapshot
        else stream_pb2.STREAM_EVENT_KIND_UPDATE,
        positions=[position_to(each) for each in update.positions],
        totals=totals_to(update.totals),
        closed_symbols=update.closed,
    )
    message.computed_at.FromDatetime(update.at)
    return message


def totals_to(totals: Totals) -> position_pb2.PortfolioTotals:
    """Returns the sums of a portfolio."""
    return position_pb2.PortfolioTotals(
        unrealized_pnl=money(totals.unrealized_pnl),
        market_value=money(totals.market_value),
        delta=decimal_text(totals.delta),
        gamma=decimal_text(totals.gamma),
        theta=decimal_text(totals.theta),
        vega=decimal_text(totals.vega),
        beta_weighted_delta=decimal_or_none(totals.beta_weighted_delta),
        incomplete_symbols=totals.incomplete,
    )
