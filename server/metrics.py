"""Serves the Prometheus metrics of one registry at `GET /metrics`.

It runs on the server's own loop: the client library's threaded page takes half a second to stop.
"""

from __future__ import annotations

__all__ = ["open_metrics_page"]

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client.aiohttp import make_aiohttp_handler

SILENT = logging.getLogger("server.metrics.requests")
SILENT.setLevel(logging.CRITICAL + 1)
"""Takes what aiohttp says of a malformed request: the request's own text, which is for no log."""

STOP_S = 0.2
"""What a scrape that is under way gets when the server stops."""


@asynccontextmanager
async def open_metrics_page(
    registry: CollectorRegistry, host: str, port: int
) -> AsyncIterator[int]:
    """Yields the port on which `GET /metrics` answers (any free one for 0)."""
    # Else every counter and histogram has a second series that says when it began: half the page.
    disable_created_metrics()  # type: ignore[no-untyped-call]  # the library left it untyped
    application = web.Application()
    application.router.add_get("/metrics", make_aiohttp_handler(registry))
    runner = web.AppRunner(application, access_log=None, logger=SILENT, shutdown_timeout=STOP_S)
    await runner.setup()
    try:
        await _listen(runner, host, port)
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise OSError(
            f"cannot listen on {host}:{port} for metrics; TASTY_METRICS_PORT chooses another port, "
            "0 any free one"
        ) from error
