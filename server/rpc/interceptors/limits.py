"""Makes calls wait for the turn of their API key, or of their address where they need none.

Registering credentials needs no key, and every registration is a row that stays: without a turn
of its own one caller could fill the store as fast as it writes. Reading (health) waits for nobody.
"""

from __future__ import annotations

__all__ = ["Limits"]

from typing import Any

from server.rpc.call import Call
from server.rpc.chain import Body
from server.rpc.rate_queue import RateQueue


class Limits:
    def __init__(self, queue: RateQueue) -> None:
        self._queue = queue

    async def around(self, call: Call, proceed: Body) -> Any:
        tenant = call.known_tenant
        size = len(call.request) if isinstance(call.request, bytes) else 0
        if tenant is not None:
            lane = (tenant.id, call.method.lane.value)
            await self._queue.turn(lane, call.deadline, size, owner=tenant.id)
        elif call.method.changes and not call.inner:
            await self._queue.turn(("address", call.address), call.deadline, size)

        return await proceed(call)
