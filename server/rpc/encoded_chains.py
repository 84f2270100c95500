"""Caches encoded option chains: each is encoded once for a day and a filter.

A chain of an index has 20,000 contracts, and the guide lists each of them twice: 4 MB, and 12 MB of
JSON, which take a tenth of a second to encode. That happens in a thread, so that other calls
are not held up.
"""

from __future__ import annotations

__all__ = ["EncodedChains"]

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from weakref import WeakKeyDictionary

from server.brokerage.instruments.chains import ChainFilter, OptionChain
from server.brokerage.transport.single_flight import SingleFlight
from server.wire.option_chain import ChainRequest, option_chain_json, option_chain_to
from server.wire.printing import body

KEPT = 8
"""Answers kept of one chain: the whole one, and the parts that somebody polls."""
KEPT_BYTES = 256 << 20
"""Bytes kept in all, of every tenant: 20 index chains as JSON. A strike that cuts off nothing asks
for another whole chain, so a count alone would let each tenant hold some hundred megabytes."""
TENANT_PART = 4
"""A tenant may have one part in so many, so that none pushes out all that the others use."""

Key = tuple[ChainFilter, bool, bool]

Make = Callable[[OptionChain, ChainRequest], bytes]


@dataclass(slots=True, kw_only=True)
class _Answer:
    owner: str
    used: int = 0
    """Grows with each use of any answer: the smallest is the longest unused."""
    once: SingleFlight[bytes] = field(default_factory=SingleFlight)

    @property
    def size(self) -> int:
        return len(self.once.value or b"")


class EncodedChains:
    """Keeps encoded answers beside the chains that they are made of, and drops them together.

    A chain belongs to one tenant and one day, so no answer is shared or out of date.
    """

    def __init__(self, *, most_bytes: int = KEPT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: WeakKeyDictionary[OptionChain, dict[Key, _Answer]] = WeakKeyDictionary()
        self._uses = count(1)
        self.encoded = 0
        """Answers that had to be made so far."""

    @property
    def kept_bytes(self) -> int:
        """Bytes kept at the moment."""
        return sum(each.size for kept in self._kept.values() for each in kept.values())

    async def of(
        self, chain: OptionChain, request: ChainRequest, *, printed: bool, owner: str
    ) -> bytes:
        """Returns the answer; callers at once share its making. Raises NoOptions.

        `printed` is for REST: an HttpBody with the JSON, instead of the message. `owner` is the
        tenant whose chain it is.
        """
        kept = self._kept.setdefault(chain, {})
        key = (request.wanted, request.all_options, printed)
        answer = kept.pop(key, None) or _Answer(owner=owner)
        kept[key] = answer  # the newest is the last one to go
        answer.used = next(self._uses)
        while len(kept) > KEPT:
            kept.pop(next(iter(kept)))

        return await answer.once.get(
            lambda: self._make(chain, request, _print if printed else _encode, owner)
        )

    async def _make(
        self, chain: OptionChain, request: ChainRequest, make: Make, owner: str
    ) -> bytes:
        self.encoded += 1
        made = await asyncio.to_thread(make, chain, request)
        self._make_room(len(made), owner)
        return made

    def _make_room(self, needed: int, owner: str) -> None:
        """Drops the least recently used answers: the owner's beyond his part, then those of whoever
        has most. Answers that are being sent are not affected."""
        places = [
            (answer, kept, key)
            for kept in self._kept.values()
            for key, answer in kept.items()
            if answer.size
        ]
        places.sort(key=lambda place: place[0].used)
        held: Counter[str] = Counter({owner: needed})
        for answer, _, _ in places:
            held[answer.owner] += answer.size

        def let_go(whose: str) -> bool:
            place = next((each for each in places if each[0].owner == whose), None)
            if place is None:
                return False

            places.remove(place)
            answer, kept, key = place
            del kept[key]
            held[whose] -= answer.size
            return True

        while held[owner] > self._most_bytes // TENANT_PART and let_go(owner):
            pass
        while held.total() > self._most_bytes:
            if not any(let_go(whose) for whose, _ in held.most_common()):
                return


def _print(chain: OptionChain, request: ChainRequest) -> bytes:
    json = option_chain_json(chain.only(request.wanted), all_options=request.all_options)
    return body(json)


def _encode(chain: OptionChain, request: ChainRequest) -> bytes:
    part = chain.only(request.wanted)
    message = option_chain_to(part, all_options=request.all_options)
    # Sorted, or the expirations in `chain` would come in any order.
    return message.SerializeToString(deterministic=True)
