"""Serves the metrics page of one registry, on the loop that the server runs on.

The client library's own page is a thread with a WSGI server that takes half a second to stop.
"""

from __future__ import annotations

__all__ = ["open_metrics_page"]

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

READ_LIMIT = 5.0
"""Seconds that a scraper has to send its request."""


@asynccontextmanager
async def open_metrics_page(
    registry: CollectorRegistry, host: str, port: int
) -> AsyncIterator[int]:
    """Yields the port on which `GET /metrics` answers (any free one for 0)."""
    # Else every counter and histogram has a second series that says when it began: half the page.
    disable_created_metrics()  # type: ignore[no-untyped-call]  # the library left it untyped
    page = _Page(registry)
    try:
        server = await asyncio.start_server(page.answer, host, port, limit=8192)
    except OSError as error:
        raise OSError(
            f"cannot listen on {host}:{port} for metrics; TASTY_METRICS_PORT chooses another port, "
            "0 any free one"
        ) from error

    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


class _Page:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(
            OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
        ):
            async with asyncio.timeout(READ_LIMIT):
                head = await reader.readuntil(b"\r\n\r\n")

            writer.write(self._response(head))
            await writer.drain()

        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    def _response(self, head: bytes) -> bytes:
        target = head.split(b"\r\n", 1)[0].split(b" ")
        if target[0] != b"GET" or len(target) < 2 or target[1].split(b"?")[0] != b"/metrics":
            return _http(b"404 Not Found", b"text/plain", b"The metrics are at GET /metrics.\n")

        return _http(b"200 OK", CONTENT_TYPE_LATEST.encode(), generate_latest(self._registry))


def _http(status: bytes, kind: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    return head % (status, kind, len(body)) + body
