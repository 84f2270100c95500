"""Option chains as bytes: each encoded once for a day and a filter, and sent as they are.

A chain of an index has 20,000 contracts and the guide tells each of them twice: 4 MB, and 12 MB of
JSON, which take a tenth of a second to make. That happens in a thread, so that nobody else's call
stands still.
"""

from __future__ import annotations

__all__ = ["EncodedChains"]

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

from google.api.httpbody_pb2 import HttpBody

from server.brokerage.chains import ChainFilter, OptionChain
from server.brokerage.once import Once
from server.wire.option_chain import ChainRequest, option_chain_json, option_chain_to

KEPT = 8
"""Answers kept of one chain: the whole one, and the parts that somebody polls."""

Key = tuple[ChainFilter, bool, bool]

Make = Callable[[OptionChain, ChainRequest], bytes]


class EncodedChains:
    """Keeps the bytes of answers beside the chains they are made of; they die with the chain.

    A chain is its tenant's own and of one day, so what is kept is neither shared nor outdated.
    """

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[OptionChain, dict[Key, Once[bytes]]] = WeakKeyDictionary()
        self.encoded = 0
        """Answers that had to be made so far."""

    async def of(self, chain: OptionChain, request: ChainRequest, *, printed: bool) -> bytes:
        """Returns the answer; callers at once share its making. Raises NoOptions.

        `printed` is for REST: an HttpBody with the JSON, instead of the message.
        """
        kept = self._kept.setdefault(chain, {})
        key = (request.wanted, request.all_options, printed)
        answer = kept.pop(key, None) or Once()
        kept[key] = answer  # the newest is the last one to go
        while len(kept) > KEPT:
            kept.pop(next(iter(kept)))

        return await answer.get(lambda: self._make(chain, request, _print if printed else _encode))

    async def _make(self, chain: OptionChain, request: ChainRequest, make: Make) -> bytes:
        self.encoded += 1
        return await asyncio.to_thread(make, chain, request)


def _print(chain: OptionChain, request: ChainRequest) -> bytes:
    json = option_chain_json(chain.only(request.wanted), all_options=request.all_options)
    body: bytes = HttpBody(content_type="application/json", data=json).SerializeToString()
    return body


def _encode(chain: OptionChain, request: ChainRequest) -> bytes:
    part = chain.only(request.wanted)
    message = option_chain_to(part, all_options=request.all_options)
    # Sorted, or the expirations in `chain` would come in any order.
    return message.SerializeToString(deterministic=True)
