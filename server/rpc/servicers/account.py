"""Serves accounts: balances, positions, history of values, transactions."""

from __future__ import annotations

__all__ = ["Accounts"]

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import timedelta

from tasty.v1 import account_service_pb2 as pb
from tasty.v1 import account_service_pb2_grpc

from server.brokerage import Brokerage
from server.clock import Clock, new_york_today
from server.portfolio.live_prices import LivePrices
from server.portfolio.position_reader import PortfolioUpdate
from server.portfolio.position_stream import PositionStreams
from server.portfolio.valuation import NO_GREEKS, value
from server.rpc.call import current_call
from server.rpc.end_in_band import end_in_band
from server.tables.plain import plain_table
from server.wire import streams
from server.wire.balance import balances_response
from server.wire.market_data_requests import POSITIONS_SEND_INTERVAL, send_interval_of
from server.wire.net_liquidating_value import net_liquidating_value_to
from server.wire.paging import page_of
from server.wire.portfolio import portfolio_update
from server.wire.position import missing_of, position_to
from server.wire.transaction import transaction_to

DEFAULT_TIME_BACK = "1y"
DEFAULT_DAYS = 90


class Accounts(account_service_pb2_grpc.AccountServiceServicer):
    """Reads the calling tenant's accounts; any other account is not found."""

    def __init__(
        self, brokerage: Brokerage, clock: Clock, live: LivePrices, open_streams: PositionStreams
    ) -> None:
        self._brokerage = brokerage
        self._clock = clock
        self._live = live
        self._streams = open_streams

    async def GetBalances(  # noqa: N802 - named by the contract
        self, request: pb.GetBalancesRequest, context: object
    ) -> pb.GetBalancesResponse:
        session = await self._brokerage.session(current_call().tenant)
        account = await session.account(request.account_id)
        return balances_response(await session.balances(account))

    async def ListPositions(  # noqa: N802 - named by the contract
        self, request: pb.ListPositionsRequest, context: object
    ) -> pb.ListPositionsResponse:
        tenant = current_call().tenant
        session = await self._brokerage.session(tenant)
        positions = await session.positions(await session.account(request.account_id))
        prices, greeks = await self._live.of_positions(tenant, positions)
        valued = [
            value(
                each,
                prices.get(each.streamer_symbol or ""),
                greeks.get(each.streamer_symbol or "", NO_GREEKS),
            )
            for each in positions
        ]
        messages = [position_to(each) for each in valued]
        return pb.ListPositionsResponse(
            positions=messages,
            table=plain_table(messages),
            errors=[error for each in valued for error in missing_of(each)],
        )

    async def ListNetLiquidatingValueHistory(  # noqa: N802 - named by the contract
        self, request: pb.ListNetLiquidatingValueHistoryRequest, context: object
    ) -> pb.ListNetLiquidatingValueHistoryResponse:
        time_back = request.time_back or DEFAULT_TIME_BACK
        session = await self._brokerage.session(current_call().tenant)
        account = await session.account(request.account_id)
        values = await session.net_liquidating_values(account, time_back)
        messages = [net_liquidating_value_to(each) for each in values]
        return pb.ListNetLiquidatingValueHistoryResponse(
            history=messages,
            table=plain_table(messages),
            account_id=account.number,
            time_back=time_back,
        )

    async def ListTransactions(  # noqa: N802 - named by the contract
        self, request: pb.ListTransactionsRequest, context: object
    ) -> pb.ListTransactionsResponse:
        days = request.days or DEFAULT_DAYS
        session = await self._brokerage.session(current_call().tenant)
        found = await session.transactions(
            await session.account(request.account_id),
            since=new_york_today(self._clock) - timedelta(days=days),
            underlying_symbol=request.underlying_symbol.strip().upper() or None,
            transaction_type=request.transaction_type or None,
        )
        page = page_of(
            found.items,
            request.page_size if request.HasField("page_size") else None,
            request.page_token,
            lambda each: each.id,
        )
        messages = [transaction_to(each) for each in page.items]
        return pb.ListTransactionsResponse(
            transactions=messages,
            table=plain_table(messages),
            next_page_token=page.next_token,
            skipped=found.skipped,
        )

    def StreamPositions(  # noqa: N802 - named by the contract
        self, request: pb.StreamPositionsRequest, context: object
    ) -> AsyncIterator[bytes]:
        return end_in_band(self._positions(request), self._clock)

    async def _positions(self, request: pb.StreamPositionsRequest) -> AsyncGenerator[bytes, None]:
        call = current_call()
        items = self._streams.follow(
            call.tenant,
            request.account_id,
            send_interval_of(request, POSITIONS_SEND_INTERVAL),
            call.draining.is_set,
        )
        async with aclosing(items):
            async for item in items:
                if isinstance(item, PortfolioUpdate):
                    yield portfolio_update(item).SerializeToString()
                else:
                    yield streams.message(item, self._clock.now())
