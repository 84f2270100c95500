"""grpc.aio and nothing else: the floor under any unary call, and under any stream.

    python -m tests.bench.bare PORT

GetHealth answers with constant bytes; StreamQuotes sends one message, then waits to be cancelled.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import grpc
import uvloop
from tasty.v1 import system_service_pb2 as pb

ANSWER = pb.GetHealthResponse(
    status="healthy", service="tasty-agent-http", broker="simulator", version="0"
).SerializeToString()


async def health(_request: bytes, _context: object) -> bytes:
    return ANSWER


async def stream(_request: bytes, _context: object) -> AsyncIterator[bytes]:
    yield b""
    await asyncio.Event().wait()


async def serve(port: int) -> None:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    unary = {"GetHealth": grpc.unary_unary_rpc_method_handler(health)}
    streams = {"StreamQuotes": grpc.unary_stream_rpc_method_handler(stream)}
    server.add_generic_rpc_handlers(
        [
            grpc.method_handlers_generic_handler("tasty.v1.SystemService", unary),
            grpc.method_handlers_generic_handler("tasty.v1.MarketDataService", streams),
        ]
    )
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1])))
