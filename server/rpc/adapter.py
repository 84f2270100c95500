"""Lifts a servicer's methods, inside the chain, to gRPC handlers of the four shapes.

Bytes come in and go out here, undecoded by grpc: so a request that cannot be decoded fails inside
the chain like any other bad input, and a servicer may answer with bytes that were encoded once for
many readers. Handlers are coroutines, not generators: a cancelled stream then unwinds in its own
task, where a generator's `finally` would run in another.
"""

from __future__ import annotations

__all__ = ["Adapter"]

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import Message

from server.clock import Clock
from server.rpc.call import Call
from server.rpc.chain import Body, Chain
from server.rpc.drain import Drain
from server.rpc.methods import Method, Patience
from server.rpc.reading import Read, reader_of
from server.rpc.writing import encode, writer_of

Function = Callable[[Any, Any], Any]
"""A servicer's method: `(request, context)`; a coroutine function, or an async generator's."""

Handler = Callable[[Any, Any], Awaitable[Any]]
"""What gRPC calls: `(request, context)`."""

SHAPES: Mapping[tuple[bool, bool], Callable[..., grpc.RpcMethodHandler[bytes, bytes]]] = {
    # (client streaming, server streaming)
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


class Adapter:
    """Makes the handlers; one per server."""

    def __init__(
        self,
        chain: Chain,
        drain: Drain,
        clock: Clock,
        patience: Mapping[Patience, timedelta],
        edge_host: str = "",
    ) -> None:
        self._chain = chain
        self._drain = drain
        self._clock = clock
        self._patience = patience
        self._edge_host = edge_host

    def handler(self, method: Method, function: Function) -> grpc.RpcMethodHandler[bytes, bytes]:
        """Returns the gRPC handler of one rpc."""
        lift = self._many if method.server_streaming else self._single
        shape = SHAPES[method.client_streaming, method.server_streaming]
        return shape(lift(method, function))

    def _single(self, method: Method, function: Function) -> Handler:
        read, write = reader_of(method), writer_of(method)

        async def body(call: Call) -> bytes:
            return write(call, await function(_incoming(call, read), call.context))

        guarded = self._chain.around(body)

        async def handler(request: Any, context: Any) -> Any:
            call = self._call(method, request, context)
            del request  # a frame that gRPC remembers, see `_refuse`, would keep it
            # A failed call has no answer: `_serve` ends it by raising what gRPC raises in `abort`.
            return await self._serve(guarded, call, context)

        return handler

    def _many(self, method: Method, function: Function) -> Handler:
        read = reader_of(method)

        async def body(call: Call) -> None:
            write = call.context.write
            async with aclosing(function(_incoming(call, read), call.context)) as answers:
                async for answer in answers:
                    await write(encode(answer))

        guarded = self._chain.around(body)

        async def handler(request: Any, context: Any) -> None:
            call = self._call(method, request, context)
            del request
            await self._serve(guarded, call, context)

        return handler

    async def _serve(self, guarded: Body, call: Call, context: Any) -> Any:
        self._drain.enter(call)
        try:
            answer = await guarded(call)
            context.set_trailing_metadata((("x-request-id", call.request_id),))
            if call.failure is not None:
                await _refuse(call)
        except grpc.aio.InternalError:
            # The client left while we wrote; the cancellation that tells so is still on its way.
            # gRPC would log its own error with a traceback, once a client that left.
            raise asyncio.CancelledError from None
        finally:
            # Outside the chain, since a status is written after the chain is done.
            self._drain.leave(call)
            # The call is known for longer: see `_refuse`, and to the timers that were set for it.
            call.request = None

        return answer

    def _call(self, method: Method, request: Any, context: Any) -> Call:
        call = Call(
            method=method,
            draining=self._drain.draining,
            metadata=context.invocation_metadata(),
            request=request,
            context=context,
            edge_host=self._edge_host,
        )
        remaining = context.time_remaining()
        own = self._patience[method.patience].total_seconds()
        # A call without a deadline: so it is over REST, where Envoy gives up a little later than we
        # do. A chat's stream ends by its time whatever its client wants, who may never read it.
        absent = remaining is None and not method.streaming
        endless = method.streaming and method.patience is Patience.MODEL
        if absent or (endless and (remaining is None or remaining > own)):
            remaining = own
            call.timed = True

        if remaining is not None:
            call.deadline = self._clock.monotonic() + remaining

        return call


def _incoming(call: Call, read: Read) -> Any:
    if call.method.client_streaming:
        return _decoded(call, read)

    return read(call, call.request)


async def _decoded(call: Call, read: Read) -> AsyncIterator[Message]:
    async for data in call.request:
        yield read(call, data)


async def _refuse(call: Call) -> None:
    """Ends the call with its failure; raises what gRPC raises.

    gRPC keeps that exception with the call, and its traceback keeps the frames that it went
    through: a circle, so all that they hold stays until the collector comes by. That may be long.
    """
    failure = call.failure
    assert failure is not None  # noqa: S101 - for the type checker; the caller has just looked
    await call.context.abort(
        failure.code,
        failure.message,
        (
            ("x-request-id", call.request_id),
            ("grpc-status-details-bin", failure.details),
        ),
    )
