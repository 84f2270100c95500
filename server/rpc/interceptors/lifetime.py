"""Ends a call at its deadline, and refuses or cuts it when the server stops."""

from __future__ import annotations

__all__ = ["Lifetime"]

import asyncio
from typing import Any

from server.clock import Clock
from server.errors import DeadlineExceeded, GatewayError, ShuttingDown
from server.rpc.call import Call
from server.rpc.chain import Body


class Lifetime:
    """A deadline that the client set is kept by gRPC, which cancels the call; ours by a timer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def around(self, call: Call, proceed: Body) -> Any:
        if call.draining.is_set() and not call.inner:
            raise ShuttingDown

        limit = None
        if call.timed and call.deadline is not None:
            limit = call.deadline - self._clock.monotonic()

        try:
            async with asyncio.timeout(limit) as scope:
                call.scope = scope
                try:
                    return await proceed(call)
                finally:
                    call.scope = None
        except TimeoutError:
            if not scope.expired():
                raise

            raise _reason(call) from None


def _reason(call: Call) -> GatewayError:
    if call.ending is not None:
        return call.ending

    return ShuttingDown() if call.cut else DeadlineExceeded()
