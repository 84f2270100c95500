"""Turns whatever is raised below into a status; nothing that nobody foresaw reaches a client.

grpc.aio would send the text of any exception to the client, and such texts hold tokens.
"""

from __future__ import annotations

__all__ = ["Failures"]

import asyncio
from dataclasses import replace
from typing import Any

import grpc.aio
import structlog

from server.clock import Clock
from server.rpc.call import Call
from server.rpc.chain import Body
from server.rpc.status import cancelled, failure_of


class Failures:
    """Records the failure in the call; the adapter sends it, an inner caller raises it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._log = structlog.get_logger("server.failures").bind()

    async def around(self, call: Call, proceed: Body) -> Any:
        try:
            return await proceed(call)
        except asyncio.CancelledError:
            late = call.deadline is not None and self._clock.monotonic() >= call.deadline
            call.failure = cancelled(late=late)
            raise
        except (grpc.aio.AbortError, grpc.aio.InternalError):
            # gRPC's own: a status is on its way already, or the client is gone in mid-write.
            call.failure = cancelled(late=False)
            raise
        except Exception as error:  # noqa: BLE001 - the one place where everything must be caught
            call.failure = failure_of(error, call.request_id)
            if call.failure.unforeseen:
                self._log.error("unforeseen", method=call.method.path, exc_info=error)

            _forget_frames(error)
            if not call.inner:  # nobody raises it again
                call.failure = replace(call.failure, error=None)

        return None


def _forget_frames(error: BaseException) -> None:
    """Lets go of the frames that an exception went through.

    They hold the request and all that was made of it, and often, in a list or a variable, the
    exception itself: a circle, which stays until the collector comes by for the oldest objects. A
    client that sends megabytes of nonsense would fill the memory before that.
    """
    known: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is None or id(one) in known:
            continue

        known.add(id(one))
        one.__traceback__ = None
        left += (one.__cause__, one.__context__)
        if isinstance(one, BaseExceptionGroup):
            left += one.exceptions
