"""Serves data that changes slowly: metrics, hours, symbols, option chains."""

from __future__ import annotations

__all__ = ["Reference"]

from tasty.v1 import reference_service_pb2 as pb
from tasty.v1 import reference_service_pb2_grpc

from server.agent import Analyst, analyze_of
from server.brokerage import Brokerage
from server.clock import Clock
from server.rpc.call import current_call
from server.rpc.encoded_chains import EncodedChains
from server.tables.plain import plain_table
from server.wire.market_metrics import market_metrics_to, symbols_from, unknown_of
from server.wire.market_session import exchanges_from, market_session_to, unsupported
from server.wire.option_chain import chain_request_from
from server.wire.symbol import search_text_from, symbol_match_to


class Reference(reference_service_pb2_grpc.ReferenceServiceServicer):
    """Answers from the broker's API, and option chains from a copy kept for the day."""

    def __init__(
        self,
        brokerage: Brokerage,
        analyst: Analyst,
        clock: Clock,
        *,
        most_symbols: int,
        most_chain_bytes: int,
    ) -> None:
        self._brokerage = brokerage
        self._analyst = analyst
        self._clock = clock
        self._most_symbols = most_symbols
        self._chains = EncodedChains(most_bytes=most_chain_bytes)

    async def GetMarketMetrics(  # noqa: N802 - named by the contract
        self, request: pb.GetMarketMetricsRequest, context: object
    ) -> pb.GetMarketMetricsResponse:
        symbols = symbols_from(request, most=self._most_symbols)
        tenant = current_call().tenant
        session = await self._brokerage.session(tenant)
        found = {each.symbol: each for each in await session.market_metrics(symbols)}
        errors = unknown_of(symbols, found)
        messages = [market_metrics_to(found[each]) for each in symbols if each in found]
        analysis = await self._analyst.of(
            tenant, "market metrics", messages, wanted=analyze_of(request)
        )
        return pb.GetMarketMetricsResponse(
            metrics=messages,
            table=plain_table(messages),
            claude_analysis=analysis.text,
            claude_error=analysis.error,
            errors=errors,
        )

    async def GetMarketStatus(  # noqa: N802 - named by the contract
        self, request: pb.GetMarketStatusRequest, context: object
    ) -> pb.GetMarketStatusResponse:
        exchanges = exchanges_from(request)
        session = await self._brokerage.session(current_call().tenant)
        known = {each.exchange: each for each in await session.hours(exchanges)}
        now = self._clock.now()
        return pb.GetMarketStatusResponse(
            sessions=[
                market_session_to(known[each], await session.holidays(each), now)
                if each in known
                else unsupported(each)
                for each in exchanges
            ]
        )

    async def SearchSymbols(  # noqa: N802 - named by the contract
        self, request: pb.SearchSymbolsRequest, context: object
    ) -> pb.SearchSymbolsResponse:
        text = search_text_from(request)
        session = await self._brokerage.session(current_call().tenant)
        messages = [symbol_match_to(each) for each in await session.search(text)]
        return pb.SearchSymbolsResponse(results=messages, table=plain_table(messages))

    async def GetOptionChain(  # noqa: N802 - named by the contract
        self, request: pb.GetOptionChainRequest, context: object
    ) -> bytes:
        """Answers with bytes: a chain is encoded once, however many ask for it."""
        wanted = chain_request_from(request)
        call = current_call()
        session = await self._brokerage.session(call.tenant)
        chain = await session.chain(wanted.symbol)
        # Over REST as JSON already; see is_printed in server/contract/edge.py.
        printed = call.original_path is not None
        return await self._chains.of(chain, wanted, printed=printed, owner=call.tenant.id)
