"""From the bytes of a DXLink frame to an encoded batch, beside the SDK's own parsing."""

from __future__ import annotations

__all__ = ["main"]

import json
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import orjson
from tastytrade.dxfeed import Quote

from server.brokerage.dxlink_events import FIELDS
from server.clock import SystemClock
from server.market.hub import Hub
from server.market.topics import Kind, TopicKey
from server.wire.streams import StreamCodec
from tests.bench.figures import Figure, show

EVENTS = 50
REPEATS = 400
RUNS = 7
SDK_FIELDS = list(Quote.model_fields)
NOW = 1_795_000_000_000


def frame(names: list[str] | tuple[str, ...], number: int) -> bytes:
    """Returns a FEED_DATA message of 50 quotes with the given fields."""
    values: dict[str, Any] = {
        "eventTime": 0,
        "sequence": 0,
        "timeNanoPart": 0,
        "bidTime": NOW,
        "bidExchangeCode": "Q",
        "askTime": NOW,
        "askExchangeCode": "Q",
        "bidSize": 100.0,
        "askSize": 200.0,
    }
    flat: list[Any] = []
    for event in range(EVENTS):
        # A walk by a cent or two at a time, as prices move.
        steps = random.Random(event)
        bid = (10_000 + 100 * event + sum(steps.randint(-2, 2) for _ in range(number))) / 100
        ask = round(bid + steps.choice((0.01, 0.02)), 2)
        values |= {"eventSymbol": f"SYM{event}", "bidPrice": bid, "askPrice": ask}
        values |= {"bidTime": NOW + 10 * number, "askTime": NOW + 10 * number}
        flat += [values[name] for name in names]
    message = {"type": "FEED_DATA", "channel": 1, "data": ["Quote", flat]}
    return json.dumps(message).encode()


def ours(frames: list[bytes]) -> Callable[[], None]:
    clock = SystemClock()
    hub = Hub(_NoWants(), clock)
    codec = StreamCodec()
    keys = [TopicKey(Kind.QUOTES, f"SYM{number}") for number in range(EVENTS)]
    group = hub.enter([hub.acquire(key, key.symbol) for key in keys], codec)

    def run() -> None:
        for data in frames:
            since = hub.version
            event, flat = orjson.loads(data)["data"]
            hub.publish(event, flat)
            group.collect(since, snapshot=False)

    return run


def sdk(frames: list[bytes]) -> Callable[[], None]:
    """What the SDK does with a frame; making one message of it would come on top."""

    def run() -> None:
        for data in frames:
            events = Quote.from_stream(json.loads(data)["data"][1])
            assert len(events) == EVENTS

    return run


class _NoWants:
    def want(self, event: str, symbol: str, since: int | None = None) -> None: ...
    def unwant(self, event: str, symbol: str) -> None: ...


def rate(run: Callable[[], None]) -> float:
    """Returns events per second of processor time."""
    begun = time.process_time()
    run()
    return REPEATS * EVENTS / (time.process_time() - begun)


def main() -> bool:
    mine = ours([frame(FIELDS["Quote"], number) for number in range(REPEATS)])
    theirs = sdk([frame(_camel(SDK_FIELDS), number) for number in range(REPEATS)])
    pairs = [(rate(mine), rate(theirs)) for _ in range(RUNS)]
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
