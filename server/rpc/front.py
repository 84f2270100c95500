"""Everything between the socket and the servicers, put together: chain, queue, drain, loopback.

Made before the servicers, since some of them need parts of it (the agent calls rpcs through the
loopback), and opened after them, so that it drains before what they use is closed.
"""

from __future__ import annotations

__all__ = ["Front", "Ports"]

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from prometheus_client import CollectorRegistry

from server.clock import Clock
from server.metrics import open_metrics_page
from server.rpc.adapter import Adapter
from server.rpc.chain import assemble
from server.rpc.drain import Drain
from server.rpc.gauges import Gauges
from server.rpc.guesses import GuessBrake
from server.rpc.interceptors.access_log import AccessLog
from server.rpc.interceptors.auth import Auth, Authenticator
from server.rpc.interceptors.failures import Failures
from server.rpc.interceptors.lifetime import Lifetime
from server.rpc.interceptors.limits import Limits
from server.rpc.interceptors.mcp import Mcp
from server.rpc.interceptors.metrics import Metrics
from server.rpc.interceptors.request_id import RequestId
from server.rpc.interceptors.urgency import Urgency
from server.rpc.loopback import Loopback
from server.rpc.methods import Patience
from server.rpc.rate_queue import RateQueue
from server.rpc.registry import Binding
from server.rpc.server import Server
from server.secret import Secret
from server.settings import Settings

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the server listens; of interest where the settings said 0, any free one."""

    grpc: int
    metrics: int


class Front:
    """What callers meet before a servicer does."""

    def __init__(self, settings: Settings, clock: Clock, tenants: Authenticator) -> None:
        self._settings = settings
        self._clock = clock
        self.registry = CollectorRegistry()
        self.drain = Drain()
        self.queue = RateQueue(
            clock,
            rate=settings.rate_limit,
            burst=settings.rate_burst,
            longest=settings.rate_queue,
            heaviest=settings.rate_queue_mib << 20,
        )
        self.guesses = GuessBrake(clock)
        self.chain = assemble(
            {
                "request_id": RequestId(),
                "access_log": AccessLog(clock),
                "metrics": Metrics(self.registry, clock),
                "failures": Failures(clock),
                "lifetime": Lifetime(clock),
                "auth": Auth(tenants, Secret(settings.admin_key.get_secret_value()), self.guesses),
                "mcp": Mcp(settings.mcp_mode),
                "limits": Limits(self.queue),
                "urgency": Urgency(),
            }
        )
        self.loopback = Loopback(self.chain)

    @asynccontextmanager
    async def serving(self, bindings: Sequence[Binding]) -> AsyncIterator[Ports]:
        """Yields the ports on which the bindings are served; leaving drains."""
        self.loopback.connect(bindings)
        self.registry.register(
            Gauges(self.drain.statistics, self.queue.statistics, self.guesses.statistics)
        )
        patience = {
            Patience.USUAL: timedelta(seconds=self._settings.default_deadline_s),
            Patience.MODEL: timedelta(seconds=self._settings.chat_timeout_s),
        }
        # The edge calls the server at the address that both listen on, and so from it.
        adapter = Adapter(
            self.chain, self.drain, self._clock, patience, edge_host=self._settings.host
        )
        server = Server(self._settings, self._clock, adapter, self.drain, bindings)
        async with AsyncExitStack() as stack:
            page = open_metrics_page(self.registry, LOOPBACK, self._settings.metrics_port)
            metrics = await stack.enter_async_context(page)
            grpc = await stack.enter_async_context(server.listening())
            yield Ports(grpc=grpc, metrics=metrics)
