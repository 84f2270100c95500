"""Opens DXLink connections for a tenant; the market package calls this a connector."""

from __future__ import annotations

__all__ = ["connector_for"]

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

from server.brokerage.api.json_reader import JsonReader
from server.brokerage.sessions import Brokerage
from server.brokerage.streaming.dxlink_events import Row
from server.clock import Clock
from server.errors import BrokerUnreadable
from server.secret import Secret
from server.tenants import Tenant

if TYPE_CHECKING:
    from server.brokerage.session import BrokerSession
    from server.brokerage.streaming.dxlink import DXLinkConnection, QuoteToken  # imports the SDK

Connector = Callable[[Callable[[str, Row], None]], AbstractAsyncContextManager["DXLinkConnection"]]


def connector_for(brokerage: Brokerage, tenant: Tenant, clock: Clock) -> Connector:
    """Returns what opens one connection of this tenant; each one asks for a new quote token."""

    @asynccontextmanager
    async def connect(sink: Callable[[str, Row], None]) -> AsyncIterator[DXLinkConnection]:
        session = await brokerage.session(tenant)
        # The session has imported the SDK by now; at the top this import would cost every start.
        from server.brokerage.streaming.dxlink import DXLinkConnection

        async def token() -> QuoteToken:
            return await quote_token(session)

        with session.hold():
            async with DXLinkConnection(session.sdk, token, sink, clock) as connection:
                yield connection

    return connect


async def quote_token(session: BrokerSession) -> QuoteToken:
    """Returns where to connect and with what; raises NotACustomer where the broker says so."""
    from server.brokerage.streaming.dxlink import QuoteToken  # as above

    data = await session.connection.get("/api-quote-tokens")
    item = JsonReader(data, session.faults, "quote token")
    url, token = item.text("dxlink-url"), item.text("token")
    if not url or not token:
        raise BrokerUnreadable("a quote token without its address")
    return QuoteToken(url=url, token=Secret(token), expires_at=item.moment("expires-at"))
