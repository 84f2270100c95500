"""Serves quotes, greeks, trades and candles, as snapshots and as streams."""

from __future__ import annotations

__all__ = ["MarketData"]

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from tasty.v1 import market_data_service_pb2 as pb
from tasty.v1 import market_data_service_pb2_grpc
from tasty.v1 import market_data_stream_pb2 as stream_pb

from server.agent import Analyst, analyze_of
from server.clock import Clock
from server.market.candle_reader import CandleBatch
from server.market.market_data_service import MarketDataService
from server.market.reader import Item
from server.market.streams import MarketStreams
from server.market.topics import Kind
from server.rpc.call import current_call
from server.rpc.end_in_band import end_in_band
from server.settings import Settings
from server.tables.market_data import greeks_table, quotes_table, quotes_table_of
from server.wire import candles, market_data, streams
from server.wire import market_data_requests as asked
from server.wire.changes import changes
from server.wire.quote_json import quote_fields, quotes_body

StreamRequest = (
    stream_pb.StreamQuotesRequest | stream_pb.StreamGreeksRequest | stream_pb.StreamTradesRequest
)


class MarketData(market_data_service_pb2_grpc.MarketDataServiceServicer):
    """Answers from the calling tenant's own connection to the market data feed."""

    def __init__(
        self,
        market_data_service: MarketDataService,
        open_streams: MarketStreams,
        analyst: Analyst,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._service = market_data_service
        self._analyst = analyst
        self._streams = open_streams
        self._settings = settings
        self._clock = clock

    async def GetQuotes(  # noqa: N802 - named by the contract
        self, request: pb.GetQuotesRequest, context: object
    ) -> pb.GetQuotesResponse | bytes:
        call = current_call()
        answer = await self._service.snapshot(
            call.tenant,
            Kind.QUOTES,
            self._queries(request.instruments, "instrument"),
            asked.timeout(request.timeout if request.HasField("timeout") else None),
        )
        now = self._clock.now()
        wanted = analyze_of(request)
        if wanted is False and call.original_path is not None:
            # What is polled over REST: printed without a message, in half the time.
            fields = [quote_fields(item, now) for item in answer.items]
            analysis = await self._analyst.of(call.tenant, "quotes", (), wanted=False)
            return quotes_body(
                fields,
                table=quotes_table_of(fields),
                problems=answer.problems,
                claude_analysis=analysis.text,
                claude_error=analysis.error,
            )

        quotes = [market_data.quote_of(item, now) for item in answer.items]
        analysis = await self._analyst.of(call.tenant, "quotes", quotes, wanted=wanted)
        return pb.GetQuotesResponse(
            quotes=quotes,
            table=quotes_table(quotes),
            errors=market_data.problems(answer.problems),
            claude_analysis=analysis.text,
            claude_error=analysis.error,
        )

    async def GetGreeks(  # noqa: N802 - named by the contract
        self, request: pb.GetGreeksRequest, context: object
    ) -> pb.GetGreeksResponse:
        tenant = current_call().tenant
        answer = await self._service.snapshot(
            tenant,
            Kind.GREEKS,
            self._queries(request.options, "option"),
            asked.timeout(request.timeout if request.HasField("timeout") else None),
        )
        greeks = [market_data.greeks_of(item) for item in answer.items]
        analysis = await self._analyst.of(tenant, "greeks", greeks, wanted=analyze_of(request))
        return pb.GetGreeksResponse(
            greeks=greeks,
            table=greeks_table(greeks),
            errors=market_data.problems(answer.problems),
            claude_analysis=analysis.text,
            claude_error=analysis.error,
        )

    def StreamQuotes(  # noqa: N802 - named by the contract
        self, request: stream_pb.StreamQuotesRequest, context: object
    ) -> AsyncIterator[bytes]:
        return end_in_band(self._stream(Kind.QUOTES, request), self._clock)

    def StreamGreeks(  # noqa: N802 - named by the contract
        self, request: stream_pb.StreamGreeksRequest, context: object
    ) -> AsyncIterator[bytes]:
        return end_in_band(self._stream(Kind.GREEKS, request), self._clock)

    def StreamTrades(  # noqa: N802 - named by the contract
        self, request: stream_pb.StreamTradesRequest, context: object
    ) -> AsyncIterator[bytes]:
        return end_in_band(self._stream(Kind.TRADES, request), self._clock)

    def StreamCandles(  # noqa: N802 - named by the contract
        self, request: stream_pb.StreamCandlesRequest, context: object
    ) -> AsyncIterator[bytes]:
        return end_in_band(self._candles(request), self._clock)

    def StreamMarketData(  # noqa: N802 - named by the contract
        self, request_iterator: AsyncIterator[stream_pb.StreamMarketDataRequest], context: object
    ) -> AsyncIterator[bytes]:
        return end_in_band(self._follow_changes(request_iterator), self._clock)

    def _queries(
        self, instruments: Sequence[market_data.InstrumentMessage], noun: str
    ) -> list[market_data.InstrumentQuery]:
        return asked.queries(instruments, noun=noun, allowed=self._settings.instruments_limit)

    async def _stream(self, kind: Kind, request: StreamRequest) -> AsyncGenerator[bytes, None]:
        call = current_call()
        symbols = asked.symbols(request.symbols, allowed=self._settings.stream_symbols)
        items = self._streams.follow(
            call.tenant, kind, symbols, asked.send_interval_of(request), call.draining.is_set
        )
        async with aclosing(items):
            async for item in items:
                yield self._message(item)

    async def _candles(
        self, request: stream_pb.StreamCandlesRequest
    ) -> AsyncGenerator[bytes, None]:
        call = current_call()
        opened = self._clock.now()
        items = self._streams.candles(
            call.tenant,
            asked.symbols(request.symbols, allowed=self._settings.stream_symbols),
            candles.interval(request.interval),
            candles.start_time(request.start_time, opened),
            asked.send_interval_of(request),
            call.draining.is_set,
            extended=request.extended_trading_hours,
        )
        async with aclosing(items):
            async for item in items:
                if isinstance(item, CandleBatch):
                    yield candles.candle_batch(item, opened).SerializeToString()
                else:
                    yield self._message(item)

    async def _follow_changes(
        self, requests: AsyncIterator[stream_pb.StreamMarketDataRequest]
    ) -> AsyncGenerator[bytes, None]:
        call = current_call()
        allowed = self._settings.stream_symbols
        items = self._streams.follow_changes(
            call.tenant,
            changes(requests, asked.DEFAULT_SEND_INTERVAL, allowed=allowed),
            asked.DEFAULT_SEND_INTERVAL,
            call.draining.is_set,
            allowed=allowed,
        )
        async with aclosing(items):
            async for item in items:
                yield self._message(item)

    def _message(self, item: Item) -> bytes:
        if isinstance(item, bytes):
            return item
        return streams.message(item, self._clock.now())
