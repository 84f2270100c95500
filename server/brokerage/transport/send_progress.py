"""Follows one request on its way to the broker, and tells what its failure proves.

The HTTP library reports each step of a request, so "nothing was sent" is a fact and not a guess
from the kind of an exception: waiting for the pacer, a failed login and a connection that was never
made all end before the first byte. After the first byte only the broker's own answer proves
anything; a proxy's page proves nothing.
"""

from __future__ import annotations

__all__ = ["Outcome", "SendProgress", "outcome_of"]

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Any

import structlog

from server.brokerage.transport.failures import answered

log = structlog.get_logger(__name__)

STEPS: Mapping[str, str] = {
    "connect_tcp.started": "connecting",
    "connect_tcp.complete": "connected",
    "send_request_headers.started": "leaving",
    "send_request_body.complete": "sent",
    "receive_response_headers.complete": "answering",
    "receive_response_body.complete": "answered",
}
"""The library's events that matter, whatever version of HTTP is before their dot."""

REFUSED = frozenset({400, 403, 404, 409, 422})
"""Statuses that are the broker's refusal if its own envelope is around its words."""

NOT_PROCESSED = frozenset({401, 405, 406, 413, 415, 429})
"""Statuses that say the broker did not process the order; the same one may be sent again."""


class Outcome(Enum):
    """What is known of a change after its one sending ended without a usable answer."""

    UNSENT = "unsent"
    """No byte was sent, or the broker did not process it: it may be sent again."""
    REFUSED = "refused"
    """The broker said no."""
    UNKNOWN = "unknown"
    """It may have been done."""


async def _no_delay() -> None:
    """Returns at once."""


class SendProgress:
    """Watches one request; `step` is called at each of `STEPS`.

    `leaving` is awaited when the connection stands and nothing has left yet: if it raises, nothing
    leaves at all.
    """

    def __init__(
        self,
        step: Callable[[str], None] = lambda _step: None,
        leaving: Callable[[], Awaitable[None]] = _no_delay,
    ) -> None:
        self._step = step
        self._leaving = leaving
        self.bytes_sent = False
        """Whether the first byte may have left."""

    async def trace(self, event: str, _info: Mapping[str, Any]) -> None:
        """Handles an event of the HTTP library's `trace` extension."""
        step = STEPS.get(event.partition(".")[2])
        if step is None:
            return

        if step == "leaving":
            await self._leaving()
            self.bytes_sent = True

        self._step(step)


def outcome_of(failure: BaseException, progress: SendProgress) -> Outcome:
    """Returns what the failure of a sending proves."""
    if not progress.bytes_sent:
        return Outcome.UNSENT

    refusal = answered(failure)
    if refusal is None or not refusal.is_json or not refusal.codes:
        return Outcome.UNKNOWN  # no answer, or nobody knows whose

    if refusal.status in NOT_PROCESSED:
        return Outcome.UNSENT

    return Outcome.REFUSED if refusal.status in REFUSED else Outcome.UNKNOWN
