"""The end of a stream, told in-band: over REST a status cannot follow data.

A stream that fails says why and then ends; one that the server ends says so; one that stops without
a last message was cut off, and its client knows to connect again.
"""

from __future__ import annotations

__all__ = ["HTTP_STATUS", "told"]

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing

from server import errors
from server.clock import Clock
from server.wire import streams

HTTP_STATUS: Mapping[type[errors.GatewayError], int] = {
    errors.BadInput: 400,
    errors.NotAuthenticated: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooManyRequests: 429,
    errors.NotBuilt: 501,
    errors.Unavailable: 503,
    errors.Late: 504,
}
"""What Envoy makes of the statuses in `status.FAMILIES`, for errors that it never sees."""


async def told(items: AsyncGenerator[bytes, None], clock: Clock) -> AsyncIterator[bytes]:
    """Yields the items and a last message; a failure before the first item stays a plain status."""
    begun = False
    try:
        async with aclosing(items):
            async for item in items:
                begun = True
                yield item
    except errors.GatewayError as error:
        if begun:
            now = clock.now()
            yield streams.failure(error.reason, str(error), _http_status(error), now)
            yield streams.end(str(error), now)
        raise

    yield streams.end("The server ended the stream; connect again to go on.", clock.now())


def _http_status(error: errors.GatewayError) -> int:
    families = (HTTP_STATUS[kind] for kind in type(error).__mro__ if kind in HTTP_STATUS)
    return next(families, 500)
