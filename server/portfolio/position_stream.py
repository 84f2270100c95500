"""Opens streams of an account's positions, valued at live prices."""

from __future__ import annotations

__all__ = ["PositionStreams"]

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, closing

from server.brokerage import Brokerage
from server.clock import Clock
from server.market.group import Codec
from server.market.markets import Markets
from server.portfolio.position_reader import PositionItem, PositionReader
from server.streams.send_pacer import SendInterval
from server.streams.stream_count import StreamCount
from server.tenants import Tenant


class PositionStreams:
    """Opens streams of the calling tenant's accounts."""

    def __init__(
        self,
        brokerage: Brokerage,
        markets: Markets,
        clock: Clock,
        count: StreamCount,
        codec: Codec,
    ) -> None:
        self._brokerage = brokerage
        self._markets = markets
        self._clock = clock
        self._count = count
        self._codec = codec

    async def follow(
        self,
        tenant: Tenant,
        account_id: str,
        send_interval: SendInterval,
        ended: Callable[[], bool],
    ) -> AsyncGenerator[PositionItem, None]:
        """Yields the acknowledgement, every position, then those that change, with the sums.

        Raises MissingAccountId or AccountNotFound before anything is subscribed to.
        """
        with self._count.one(tenant.id) as place:
            session = await self._brokerage.session(tenant)
            place.belongs_to(session.customer)
            account = await session.account(account_id)
            market = self._markets.of(tenant)
            reader = PositionReader(
                session, account, market, self._codec, self._clock, send_interval
            )
            with closing(reader):
                await reader.load()
                yield reader.acknowledgement()
                async with aclosing(reader.items(lambda: ended() or market.is_over)) as items:
                    async for item in items:
                        yield item
            market.feed.ensure_allowed()
