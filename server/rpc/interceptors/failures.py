"""Turns whatever is raised below into a status; nothing that nobody foresaw reaches a client.

grpc.aio would send the text of any exception to the client, and such texts hold tokens.
"""

from __future__ import annotations

__all__ = ["Failures"]

import asyncio
from typing import Any

import grpc.aio
import structlog

from server.clock import Clock
from server.errors import GatewayError
from server.rpc import status
from server.rpc.call import Call
from server.rpc.chain import Body


class Failures:
    """Records the failure in the call; the adapter sends it, an inner caller raises it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._log = structlog.get_logger("server.failures").bind()

    async def around(self, call: Call, proceed: Body) -> Any:
        try:
            return await proceed(call)
        except GatewayError as error:
            call.failure = status.failure_of(error)
        except asyncio.CancelledError:
            late = call.deadline is not None and self._clock.monotonic() >= call.deadline
            call.failure = status.cancelled(late=late)
            raise
        except (grpc.aio.AbortError, grpc.aio.InternalError):
            # gRPC's own: a status is on its way already, or the client is gone in mid-write.
            call.failure = status.cancelled(late=False)
            raise
        except Exception as error:  # noqa: BLE001 - the one place where everything must be caught
            known = _known(error)
            if known is not None:
                call.failure = status.failure_of(known)
            else:
                self._log.error("unexpected", method=call.method.path, exc_info=error)
                call.failure = status.internal(call.request_id, error)

        return None


def _known(error: Exception) -> GatewayError | None:
    """Returns the first known error of a group that a task group made of nothing else."""
    if not isinstance(error, ExceptionGroup):
        return None

    known, unknown = error.split(GatewayError)
    if known is None or unknown is not None:
        return None

    first: BaseException = known
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]

    return first if isinstance(first, GatewayError) else None
