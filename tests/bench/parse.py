"""From the bytes of a DXLink frame to an encoded batch, beside the SDK's own parsing."""

from __future__ import annotations

__all__ = ["main"]

import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from tastytrade.dxfeed import Quote

from server.brokerage.streaming.dxlink_events import FIELDS
from server.clock import SystemClock
from server.market.hub import Hub
from server.market.topics import Kind, TopicKey
from server.wire.streams import StreamCodec
from tests.bench.figures import Figure, show

EVENTS = 50
REPEATS = 100
RUNS = 31
SDK_FIELDS = list(Quote.model_fields)
NOW = 1_795_000_000_000


class Prices:
    """Prices that go by a cent or two at a time, so that they come back, as prices do."""

    def __init__(self) -> None:
        self._random = random.Random(1)
        self._bids = [10_000 + 100 * event for event in range(EVENTS)]
        self._moves = 0

    def frame(self, names: Sequence[str]) -> bytes:
        """Returns a FEED_DATA message of a next quote of each symbol, with the given fields."""
        self._moves += 1
        moved_at = NOW + 100 * self._moves
        flat: list[Any] = []
        for event, before in enumerate(self._bids):
            self._bids[event] = bid = before + self._random.randint(-2, 2)
            values: dict[str, Any] = {
                "eventSymbol": f"SYM{event}",
                "eventTime": 0,
                "sequence": 0,
                "timeNanoPart": 0,
                "bidTime": moved_at,
                "bidExchangeCode": "Q",
                "bidPrice": bid / 100,
                "bidSize": 100.0,
                "askTime": moved_at,
                "askExchangeCode": "Q",
                "askPrice": (bid + self._random.randint(1, 2)) / 100,
                "askSize": 200.0,
            }
            flat += [values[name] for name in names]
        message = {"type": "FEED_DATA", "channel": 1, "data": ["Quote", flat]}
        return json.dumps(message).encode()

    def frames(self, names: Sequence[str]) -> list[bytes]:
        return [self.frame(names) for _ in range(REPEATS)]


class Ours:
    """The hub and the codec, with readers of all the symbols, as in a server that has been up."""

    def __init__(self) -> None:
        self._hub = Hub(_NoWants(), SystemClock())
        keys = [TopicKey(Kind.QUOTES, f"SYM{number}") for number in range(EVENTS)]
        topics = [self._hub.acquire(key, key.symbol) for key in keys]
        self._group = self._hub.enter(topics, StreamCodec())
        for key in keys:
            trade = [key.symbol, 100.5, 1, NOW, 0.5, 1000, 1e5, "Q", "UP", False]
            self._hub.publish("Trade", trade)

    def run(self, frames: list[bytes]) -> None:
        hub, group = self._hub, self._group
        for data in frames:
            since = hub.version
            event, flat = orjson.loads(data)["data"]
            hub.publish(event, flat)
            batch, count = group.collect(since, snapshot=False)
            assert batch
            assert count == EVENTS


def sdk(frames: list[bytes]) -> None:
    """What the SDK does with a frame; making one message of it would come on top."""
    for data in frames:
        events = Quote.from_stream(json.loads(data)["data"][1])
        assert len(events) == EVENTS


class _NoWants:
    def subscribe(self, event: str, symbol: str, since: int | None = None) -> None: ...
    def unsubscribe(self, event: str, symbol: str) -> None: ...


def rate(run: Callable[[list[bytes]], None], frames: list[bytes]) -> float:
    """Returns events per second of processor time."""
    begun = time.process_time()
    run(frames)
    return REPEATS * EVENTS / (time.process_time() - begun)


def main() -> bool:
    ours, prices, same = Ours(), Prices(), Prices()
    their_fields = _camel(SDK_FIELDS)
    for _ in range(5):
        ours.run(prices.frames(FIELDS["Quote"]))
    # No frame is seen twice: what is remembered of one must not make the next run fast.
    pairs = [
        (
            rate(ours.run, prices.frames(FIELDS["Quote"])),
            rate(sdk, same.frames(their_fields)),
        )
        for _ in range(RUNS)
    ]
    speed = statistics.median(pair[0] for pair in pairs)
    ratio = statistics.median(pair[0] / pair[1] for pair in pairs)
    return show(
        f"Frame bytes to encoded batch, {EVENTS} quotes a frame, median of {RUNS} paired runs",
        [
            Figure(
                measure="beside the SDK's parsing alone",
                value=f"{ratio:.1f}x",
                target=">= 4x",
                met=ratio >= 4,
                how=f"the SDK: {speed / ratio:,.0f} events/s, into its own objects",
            ),
            Figure(
                measure="events a second and core",
                value=f"{speed:,.0f}",
                target=">= 200,000",
                met=speed >= 200_000,
            ),
        ],
    )


def _camel(names: list[str]) -> list[str]:
    return [
        first + "".join(p.title() for p in rest) for first, *rest in (n.split("_") for n in names)
    ]


if __name__ == "__main__":
    main()
