"""The call that is being served: who calls what, until when; `current_call()` finds it below.

It belongs to the task that serves it. Work that outlives the call (a shared feed, a refresh) must
take the values it needs as arguments: there, `current_call()` is somebody else's call, or none.
"""

from __future__ import annotations

__all__ = ["Call", "Origin", "current_call"]

import asyncio
import enum
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from server.errors import GatewayError, MissingApiKey
from server.rpc.addresses import address_of
from server.rpc.methods import Method
from server.rpc.status import Failure
from server.tenants import Tenant


class Origin(enum.Enum):
    """On whose decision a call is made; a model's calls are held to more than a person's."""

    CALLER = "caller"
    """A program or a person with an API key."""
    CHAT = "chat"
    """This server's own agent, for the tenant whose chat it answers."""
    MCP = "mcp"
    """A model elsewhere, by a tool."""


@dataclass(slots=True, kw_only=True, eq=False)
class Call:
    """One rpc on its way through the chain; the links fill it in as it passes."""

    method: Method
    draining: asyncio.Event
    """Set when the server begins to stop: a stream says its last word and ends."""
    metadata: Sequence[tuple[str, str | bytes]] = field(default=(), repr=False)
    deadline: float | None = None
    """On the server's monotonic clock; `None` for streams whose client set none."""
    timed: bool = False
    """Whether keeping the deadline is ours; gRPC itself ends calls whose client set one."""
    inner: bool = False
    """Made by a servicer on behalf of a tenant that was checked already (see `Loopback`)."""
    decided_by: Origin = Origin.CHAT
    """Of an inner call: whose decision it is."""
    request: Any = field(default=None, repr=False)
    """Bytes, an iterator of bytes, or (inner calls) a message: for the adapter, nobody else."""
    context: Any = field(default=None, repr=False)
    """gRPC's side of the call: for the adapter, nobody else."""
    edge_host: str = field(default="", repr=False)
    """The address from which the edge calls, where that is not loopback."""

    request_id: str = ""
    known_tenant: Tenant | None = None
    presenter: Tenant | None = None
    """On an open rpc, the tenant whose key the caller has shown to hold."""
    admin: bool = False
    """The administrator's key came with the call, and is right."""
    failure: Failure | None = None
    """How the call ended, once it did; `None` is success."""
    scope: asyncio.Timeout | None = field(default=None, repr=False)
    cut: bool = False
    """The server is stopping and could wait no longer for this call."""
    ending: GatewayError | None = None
    """Why the server ended this call, see `end`."""

    @property
    def tenant(self) -> Tenant:
        """Who calls. Raises MissingApiKey on an open rpc that was called without a key."""
        if self.known_tenant is None:
            raise MissingApiKey

        return self.known_tenant

    def end(self, reason: GatewayError) -> None:
        """Ends the call with an error, even while it waits for its client to read."""
        self.ending = reason
        if self.scope is not None and not self.scope.expired():
            self.scope.reschedule(asyncio.get_running_loop().time())

    @property
    def address(self) -> str:
        """The caller's network address: as the edge tells it, else the other end of the connection.

        See `address_of` for who is believed. Good for fairness between callers, not for trust.
        """
        peer = "" if self.context is None else str(self.context.peer())
        return address_of(peer, self.header("x-tasty-address"), edge=self.edge_host)

    @property
    def original_path(self) -> str | None:
        """The path and query of the REST request behind this call; `None` for native gRPC."""
        return self.header("x-envoy-original-path")

    @property
    def origin(self) -> Origin:
        """On whose decision the call is made.

        The header `x-tasty-origin` can only say that a model decided: whoever sends it gets less.
        """
        if self.inner:
            return self.decided_by

        return Origin.MCP if self.header("x-tasty-origin") else Origin.CALLER

    @property
    def code(self) -> str:
        """The name of the status: "OK", "NOT_FOUND"..."""
        return "OK" if self.failure is None else self.failure.code.name

    def header(self, name: str) -> str | None:
        """Returns the first value of a metadata key (lower case), if there is one."""
        for key, value in self.metadata:
            if key == name:
                return value if isinstance(value, str) else value.decode("latin-1")

        return None

    def headers(self, name: str) -> list[str]:
        """Returns every value of a metadata key (lower case)."""
        return [str(value) for key, value in self.metadata if key == name]


CURRENT: ContextVar[Call] = ContextVar("current_call")


def current_call() -> Call:
    """Returns the call that the running task serves; raises LookupError where there is none."""
    return CURRENT.get()
