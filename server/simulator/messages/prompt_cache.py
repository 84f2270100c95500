"""Counts the tokens that a prompt cache would have saved.

A breakpoint (`cache_control`) marks the end of a prefix. Tools come before the system prompt, and
it before the messages, so a change of a tool invalidates everything after it, as at the real API.
"""

from __future__ import annotations

__all__ = ["PromptCache"]

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from datetime import timedelta

import orjson

from server.simulator.clock import SimClock
from server.simulator.messages.replies import Reply, Usage
from server.simulator.messages.requests import Block, MessagesRequest

CHARACTERS_PER_TOKEN = 4
LIFETIME = timedelta(minutes=5)
MAX_PREFIXES = 4096


class PromptCache:
    """Remembers prefixes by key and content, each for five minutes after its last use."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock
        self._expires_at: OrderedDict[bytes, float] = OrderedDict()

    def usage(self, request: MessagesRequest, key: str, reply: Reply) -> Usage:
        """Returns the usage of a request, and remembers its prefixes."""
        now = self._clock.monotonic()
        digest = hashlib.sha256(f"{key}\n{request.model}\n".encode())
        length = read = written = 0
        for block in _list_blocks(request):
            plain = {name: value for name, value in block.items() if name != "cache_control"}
            content = orjson.dumps(plain)
            digest.update(content)
            length += len(content)
            if "cache_control" in block:
                name = digest.copy().digest()
                if self._expires_at.get(name, 0.0) > now:
                    read = length
                else:
                    written = length

                self._remember(name, now)

        written = max(written - read, 0)
        return Usage(
            input_tokens=_count_tokens(length - read - written),
            output_tokens=max(_count_tokens(reply.length), 1),
            cache_creation_input_tokens=_count_tokens(written),
            cache_read_input_tokens=_count_tokens(read),
        )

    def _remember(self, name: bytes, now: float) -> None:
        self._expires_at[name] = now + LIFETIME.total_seconds()
        self._expires_at.move_to_end(name)
        while len(self._expires_at) > MAX_PREFIXES:
            self._expires_at.popitem(last=False)


def _list_blocks(request: MessagesRequest) -> Iterator[Block]:
    yield from request.tools
    yield from request.system
    for turn in request.turns:
        yield from turn.blocks


def _count_tokens(characters: int) -> int:
    return -(-characters // CHARACTERS_PER_TOKEN)
