"""Makes calls wait for the turn of their API key, or of their address where they need none.

Registering credentials needs no key, and every registration is a row that stays: without a turn
of its own one caller could fill the store as fast as it writes. But whoever shows a key there, or
the administrator's, waits in a line of his own: strangers behind the same address must not keep
the owner from renewing his credentials. Reading (health) waits for nobody.
"""

from __future__ import annotations

__all__ = ["Limits"]

from collections.abc import Hashable
from typing import Any

from server.rpc.call import Call
from server.rpc.chain import Body
from server.rpc.rate_queue import RateQueue

ADMINISTRATOR = ("administrator",)
PRESENTED = "presented"


class Limits:
    def __init__(self, queue: RateQueue) -> None:
        self._queue = queue

    async def around(self, call: Call, proceed: Body) -> Any:
        line = _line_of(call)
        if line is not None:
            size = len(call.request) if isinstance(call.request, bytes) else 0
            tenant = call.known_tenant or call.presenter
            owner = None if tenant is None else tenant.id
            await self._queue.turn(line, call.deadline, size, owner=owner)

        return await proceed(call)


def _line_of(call: Call) -> Hashable | None:
    tenant = call.known_tenant
    if tenant is not None:
        return (tenant.id, call.method.lane.value)

    if call.inner or not call.method.changes:
        return None

    if call.admin:
        return ADMINISTRATOR

    if call.presenter is not None:
        return (call.presenter.id, PRESENTED)

    return ("address", call.address)
