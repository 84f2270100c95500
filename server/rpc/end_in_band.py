"""Ends a stream with a message of its own, since over REST a status cannot follow data.

A stream that fails sends its error and then its end; one that the server ends sends its end. One
that stops without either was cut off, and its client knows to connect again.
"""

from __future__ import annotations

__all__ = ["end_in_band"]

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from server.clock import Clock
from server.rpc.call import current_call
from server.rpc.status import failure_of
from server.wire import streams


async def end_in_band(items: AsyncGenerator[bytes, None], clock: Clock) -> AsyncIterator[bytes]:
    """Yields the items and a last message; a failure before the first item stays a plain status.

    An unexpected failure shows the request id only, as everywhere; the rest is in the log.
    """
    begun = False
    try:
        async with aclosing(items):
            async for item in items:
                begun = True
                yield item
    except Exception as error:
        if begun:
            failure = failure_of(error, current_call().request_id)
            now = clock.now()
            yield streams.failure(failure.reason, failure.message, failure.http, now)
            yield streams.end(failure.message, now)

        raise

    yield streams.end("The server ended the stream; connect again to go on.", clock.now())
