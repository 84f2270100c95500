"""The grpc.aio server: handlers, health, reflection, and a stop that loses no call.

Stopping takes four steps, because a proxy in front needs time to notice: health says NOT_SERVING;
calls are still served for `drain_notice_s`; then new ones are refused and running ones finish (see
`Drain`); then the sockets close.
"""

from __future__ import annotations

__all__ = ["Server"]

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import grpc
import grpc.aio
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import SERVICE_NAME as HEALTH
from grpc_health.v1.health import aio as health
from grpc_reflection.v1alpha import reflection

from server.clock import Clock
from server.rpc.adapter import Adapter
from server.rpc.drain import Drain
from server.rpc.registry import Binding
from server.settings import Settings

LAST_BYTES_S = 0.5
"""What answers already written, and watchers of the health service, get at the very end."""

OPTIONS: tuple[tuple[str, int], ...] = (
    # Two servers would share a port silently, each with half of the streams.
    ("grpc.so_reuseport", 0),
    # Envoy and clients may ping an idle connection this often; the default (5 minutes) makes the
    # server hang up on those that look after their streams better than that.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # A peer that vanished without a word is noticed, and its streams end, within 40 seconds.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # A stream may be quiet for long; by default only two pings go out without data in between.
    ("grpc.http2.max_pings_without_data", 0),
    # A chain of 22,000 contracts, each told twice as the guide wants it, is about 10 MB.
    ("grpc.max_send_message_length", 64 * 1024 * 1024),
    # The largest sound request is a chat with its history; the edge lets as much through.
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
    ("grpc.max_metadata_size", 32 * 1024),
    # Calls that have arrived and were not looked at yet. By default more than 1,000 are answered
    # CANCELLED, whoever sent them and without a word in any log: a burst of one caller would fail
    # another's call. As many as the edge lets through wait for their turn, and are told what is so.
    ("grpc.server.max_pending_requests", 20_000),
    ("grpc.server.max_pending_requests_hard_limit", 20_000),
)


class Server:
    """Serves the bindings on one port until its context ends."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        adapter: Adapter,
        drain: Drain,
        bindings: Iterable[Binding],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._adapter = adapter
        self._drain = drain
        self._bindings = tuple(bindings)
        self._health = health.HealthServicer()
        self._log = structlog.get_logger("server.rpc")

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Yields the port; leaving drains and closes."""
        server = grpc.aio.server(options=OPTIONS)
        services = self._add_handlers(server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        if self._settings.reflection:
            names = (*services, HEALTH, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, server)

        port = self._bind(server)
        await server.start()
        for service in services:
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)

        try:
            yield port
        finally:
            try:
                await self._leave()
            finally:
                await server.stop(LAST_BYTES_S)

    async def _leave(self) -> None:
        self._drain.leaving = True
        await self._health.enter_graceful_shutdown()
        running = self._drain.statistics()
        self._log.info("stopping", unary=running.unary, streams=running.streams)
        if self._settings.drain_notice_s:
            await self._clock.sleep(timedelta(seconds=self._settings.drain_notice_s))

        await self._drain.finish(timedelta(seconds=self._settings.drain_s))

    def _add_handlers(self, server: grpc.aio.Server) -> Sequence[str]:
        handlers: dict[str, dict[str, grpc.RpcMethodHandler[Any, Any]]] = {}
        for binding in self._bindings:
            handler = self._adapter.handler(binding.method, binding.function)
            handlers.setdefault(binding.method.service, {})[binding.method.name] = handler

        for service, its_handlers in handlers.items():
            generic = grpc.method_handlers_generic_handler(service, its_handlers)
            server.add_generic_rpc_handlers((generic,))
            # Found by a dictionary, where generic handlers are asked one after the other.
            server.add_registered_method_handlers(service, its_handlers)

        return tuple(handlers)

    def _bind(self, server: grpc.aio.Server) -> int:
        host, port = self._settings.host, self._settings.grpc_port
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            return int(server.add_insecure_port(address))
        except RuntimeError as error:
            raise OSError(
                f"cannot listen on {address}; is another server running? "
                "TASTY_GRPC_PORT chooses another port, 0 any free one"
            ) from error
