"""Waits for a state that no event announces; the one place in the tests that polls."""

from __future__ import annotations

__all__ = ["eventually"]

import asyncio
from collections.abc import Callable


async def eventually(condition: Callable[[], object], limit: float = 10) -> None:
    """Returns as soon as the condition holds; raises TimeoutError after `limit` seconds."""
    async with asyncio.timeout(limit):
        while not condition():  # noqa: ASYNC110 - a client that leaves sets no event
            await asyncio.sleep(0.005)
