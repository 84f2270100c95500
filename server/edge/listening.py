"""Asks a port whether anybody listens there; only a connection tells."""

from __future__ import annotations

__all__ = ["listens"]

import asyncio
from contextlib import suppress


async def listens(host: str, port: int) -> bool:
    """Returns whether a connection can be made; it is closed again without a word."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False

    writer.close()
    with suppress(OSError):
        await writer.wait_closed()

    return True
