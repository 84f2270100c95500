"""How far a change got on its way to the broker, and what its end therefore proves.

The library below tells each step of a request, so "nothing was sent" is a fact here and not a guess
from the kind of an exception: a wait for the pace, a login that failed, a connection that was never
made all end before the first byte. After the first byte only an answer of the broker's own proves
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
"""Statuses that, with the broker's own envelope around its words, are its answer: no."""

NOT_LOOKED_AT = frozenset({401, 405, 406, 413, 415, 429})
"""And those that say it did not get as far as the order; the same one may come again."""


class Outcome(Enum):
    """What is known of a change after its one sending ended without a usable answer."""

    UNSENT = "unsent"
    """Not a byte left, or the broker did not look at it: it may be sent again."""
    REFUSED = "refused"
    """The broker said no."""
    UNKNOWN = "unknown"
    """It may have been done."""


async def _at_once() -> None:
    """Holds nobody up."""


class SendProgress:
    """Watches one request; `step` is called at each of `STEPS`.

    `leaving` is awaited when the connection stands and nothing has left yet: if it raises, nothing
    leaves at all.
    """

    def __init__(
        self,
        step: Callable[[str], None] = lambda _step: None,
        leaving: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        self._step = step
        self._leaving = leaving
        self.left = False
        """Whether the first byte may have left."""

    async def trace(self, event: str, _info: Mapping[str, Any]) -> None:
        """Is told by the HTTP library; its name for this is the `trace` extension."""
        step = STEPS.get(event.partition(".")[2])
        if step is None:
            return

        if step == "leaving":
            await self._leaving()
            self.left = True

        self._step(step)


def outcome_of(failure: BaseException, progress: SendProgress) -> Outcome:
    """Returns what the failure of a sending proves."""
    if not progress.left:
        return Outcome.UNSENT

    refusal = answered(failure)
    if refusal is None or not refusal.is_json or not refusal.codes:
        return Outcome.UNKNOWN  # no answer, or nobody knows whose

    if refusal.status in NOT_LOOKED_AT:
        return Outcome.UNSENT

    return Outcome.REFUSED if refusal.status in REFUSED else Outcome.UNKNOWN
