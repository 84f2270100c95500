"""Notices that nobody is served any more although every process of the gateway lives.

An edge that was told to drain, or that is frozen, ends no process. So the supervisor asks for
/health through it, as a caller would, and on one connection that it keeps: while callers hold all
the connections that the edge may have, a new one would be closed, and ending the gateway for that
would help whoever does it.
"""

from __future__ import annotations

__all__ = ["Answer", "EdgeSilent", "ask", "until_silent"]

import enum
from collections.abc import Awaitable, Callable
from datetime import timedelta

import aiohttp

from server.clock import Clock

PAUSE = timedelta(seconds=1)
PATIENCE_S = 5.0
"""How long one answer is waited for: a server on a busy machine may take seconds."""
REFUSALS = 3
"""Connections refused one after the other. Nobody listens: a full queue does not refuse."""
MISSES = 4
"""Answers that did not come, one after the other ..."""
SILENCE = timedelta(seconds=15)
"""... over at least this long."""


class Answer(enum.Enum):
    """What became of one question."""

    CAME = "came"
    """Any answer, also an error, also a connection that is closed: somebody is there."""
    REFUSED = "refused"
    """Nobody listens at the port."""
    MISSING = "missing"
    """Nothing came in time."""


class EdgeSilent(Exception):
    """The gateway runs, and serves nobody."""

    def __init__(self, answer: Answer, seconds: float) -> None:
        what = {
            Answer.REFUSED: "nobody listens at the edge's port any more (was it told to drain?)",
            Answer.MISSING: f"GET /health through the edge had no answer for {seconds:.0f} s",
        }[answer]
        super().__init__(f"The gateway runs, but serves nobody: {what}.")


async def until_silent(answer: Callable[[], Awaitable[Answer]], clock: Clock) -> EdgeSilent:
    """Asks once a second; returns once there has been no answer for too long."""
    refused = missed = 0
    last = clock.monotonic()
    while True:
        match await answer():
            case Answer.CAME:
                refused = missed = 0
                last = clock.monotonic()
            case Answer.REFUSED:
                refused += 1
                missed += 1
            case Answer.MISSING:
                refused = 0
                missed += 1

        silence = clock.monotonic() - last
        if refused >= REFUSALS:
            return EdgeSilent(Answer.REFUSED, silence)

        if missed >= MISSES and silence >= SILENCE.total_seconds():
            return EdgeSilent(Answer.MISSING, silence)

        await clock.sleep(PAUSE)


async def ask(http: aiohttp.ClientSession, url: str) -> Answer:
    """Asks for `url` once."""
    try:
        async with http.get(url, timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as answer:
            await answer.read()
            return Answer.CAME
    except TimeoutError:
        return Answer.MISSING
    except aiohttp.ClientConnectorError as error:
        refused = isinstance(error.os_error, ConnectionRefusedError)
        return Answer.REFUSED if refused else Answer.MISSING
    except aiohttp.ClientError:
        return Answer.CAME
