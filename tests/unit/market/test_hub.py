"""The hub: one encoding an update, one join a group, and a slow reader that hurts only itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from server.market.feed_status import Condition
from server.market.hub import Hub
from server.market.read_stream import Heartbeat
from server.market.reader import Item, Reader
from server.market.topics import Kind, Topic
from server.streams.send_pacer import SendInterval
from tests.clock import ManualClock, settle

SECOND = timedelta(seconds=1)


class Subscriptions:
    """Records what the hub asks of its feed."""

    def __init__(self) -> None:
        self.open: list[tuple[str, str]] = []

    def subscribe(self, event: str, symbol: str, since: int | None = None) -> None:
        self.open.append((event, symbol))

    def unsubscribe(self, event: str, symbol: str) -> None:
        self.open.remove((event, symbol))


class Codec:
    """Writes bids as text and counts how often it is asked to."""

    def __init__(self) -> None:
        self.encoded = 0

    def items(self, topics: Sequence[Topic]) -> list[bytes]:
        return [topic.encoded or self.item(topic) for topic in topics]

    def item(self, topic: Topic) -> bytes:
        self.encoded += 1
        quote = topic.quote
        shown = (
            f"{topic.key.symbol}={quote.bid_price if quote else '-'}{'!' if topic.stale else ''};"
        )
        topic.encoded = shown.encode()
        return topic.encoded

    def batch(self, items: Sequence[bytes], *, snapshot: bool) -> bytes:
        return (b"S:" if snapshot else b"U:") + b"".join(items)


def quote(symbol: str, bid: float) -> list[object]:
    return [symbol, bid, bid + 0.01, 1, 1, 0, 0, "Q", "Q"]


class Fixture:
    """A hub on a manual clock, and readers whose items pile up in lists."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.subscriptions = Subscriptions()
        self.codec = Codec()
        self.hub = Hub(self.subscriptions, self.clock)
        self.tasks: list[asyncio.Task[None]] = []

    def connect(self) -> None:
        """What a feed does when data comes over a new connection."""
        self.hub.connected()
        self.hub.resume()

    async def reader(
        self, symbols: str, *, interval: float = 0, heartbeat: float = 15
    ) -> list[Item]:
        items: list[Item] = []
        self.tasks.append(asyncio.create_task(self._read(symbols, items, interval, heartbeat)))
        await settle()
        return items

    async def _read(
        self, symbols: str, items: list[Item], interval: float, heartbeat: float
    ) -> None:
        labels = {symbol: symbol for symbol in symbols.split()}
        async with (
            self.hub.hold(Kind.QUOTES, labels) as topics,
            self.hub.join(topics, self.codec) as group,
        ):
            send_interval = SendInterval(
                min_interval=interval * SECOND, heartbeat=heartbeat * SECOND
            )
            reader = Reader(self.hub, group, self.clock, send_interval)
            async for item in reader.items(lambda: False):
                items.append(item)  # noqa: PERF401  seen by the test as they come


@pytest.fixture
async def at() -> AsyncIterator[Fixture]:
    fixture = Fixture()
    fixture.connect()
    upkeep = asyncio.create_task(fixture.hub.run())
    yield fixture
    for task in (upkeep, *fixture.tasks):
        task.cancel()
    await asyncio.gather(upkeep, *fixture.tasks, return_exceptions=True)
    await settle()


async def test_first_reader_subscribes_and_the_last_unsubscribes_after_the_grace(
    at: Fixture,
) -> None:
    await at.reader("SPY")
    await at.reader("SPY")
    assert sorted(at.subscriptions.open) == [("Quote", "SPY"), ("Trade", "SPY")]

    for task in at.tasks:
        task.cancel()
    await settle()
    assert at.hub.statistics().held == 0
    await at.clock.advance(59)
    assert at.subscriptions.open
    await at.clock.advance(2)
    assert at.subscriptions.open == []
    assert at.hub.statistics().topics == 0


async def test_kinds_share_the_event_of_a_symbol(at: Fixture) -> None:
    async with at.hub.hold(Kind.QUOTES, {"SPY": "SPY"}), at.hub.hold(Kind.TRADES, {"SPY": "SPY"}):
        assert sorted(at.subscriptions.open) == [("Quote", "SPY"), ("Trade", "SPY")]
        at.hub.publish("Trade", ["SPY", 1.5, 1, 0, 0, 0, 0, "Q", "UP", False])
        assert at.hub.statistics().updates == 2


async def test_equal_readers_share_encoding_and_join(at: Fixture) -> None:
    lists = [await at.reader("SPY AAPL") for _ in range(50)]
    at.hub.publish("Quote", quote("SPY", 1) + quote("AAPL", 2))
    await settle()

    assert {bytes(items[-1]) for items in lists} == {b"U:SPY=1;AAPL=2;"}
    assert len({id(items[-1]) for items in lists}) == 1
    assert at.codec.encoded == 2


async def test_a_late_reader_gets_a_snapshot_first(at: Fixture) -> None:
    await at.reader("SPY")
    at.hub.publish("Quote", quote("SPY", 1))
    items = await at.reader("SPY AAPL")
    assert items == [b"S:SPY=1;"]

    at.hub.publish("Quote", quote("AAPL", 2))
    await settle()
    assert items == [b"S:SPY=1;", b"U:AAPL=2;"]


async def test_updates_between_two_batches_are_conflated_and_counted(at: Fixture) -> None:
    items = await at.reader("SPY", interval=1)
    for bid in range(10):
        at.hub.publish("Quote", quote("SPY", bid))
        await settle()
    assert items == []

    await at.clock.advance(1)
    assert items == [b"U:SPY=9;"]
    await at.clock.advance(16)
    beat = items[1]
    assert isinstance(beat, Heartbeat)
    assert beat.conflated == 9


async def test_heartbeats_come_at_the_interval_of_each_reader(at: Fixture) -> None:
    fast = await at.reader("SPY", heartbeat=2)
    slow = await at.reader("SPY", heartbeat=10)
    await at.clock.advance(10.5)
    assert len(fast) == 5
    assert len(slow) == 1


async def test_staleness_is_told_in_band_and_marks_the_data(at: Fixture) -> None:
    items = await at.reader("SPY")
    at.hub.interrupt("mute")
    at.hub.interrupt("mute still")
    await settle()
    await at.clock.advance(2)
    at.connect()
    await settle()
    told = [(item.live, item.cause) for item in items if isinstance(item, Condition)]
    assert told == [(False, "mute"), (True, "live again after 2.0 s")]


async def test_an_active_symbol_that_stops_while_others_move_is_flagged(at: Fixture) -> None:
    items = await at.reader("SPY AAPL")
    for bid in range(5):
        at.hub.publish("Quote", quote("SPY", bid) + quote("AAPL", bid))
        await at.clock.advance(1)
    items.clear()
    for bid in range(15):
        at.hub.publish("Quote", quote("AAPL", bid))
        await at.clock.advance(1)

    stale = [item for item in items if isinstance(item, Condition)]
    assert [item.symbols for item in stale] == [("SPY",)]
    assert any(b"SPY=4!" in item for item in items if isinstance(item, bytes))
    at.hub.publish("Quote", quote("SPY", 99))
    await settle()
    assert items[-1] == b"U:SPY=99;"


async def test_a_symbol_that_has_never_had_a_value_is_not_called_out_of_date(at: Fixture) -> None:
    items = await at.reader("SPY NOPE")
    for bid in range(20):
        at.hub.publish("Quote", quote("SPY", bid))
        await at.clock.advance(1)

    assert not [item for item in items if isinstance(item, Condition)]


async def test_a_cancelled_reader_does_not_disturb_its_group(at: Fixture) -> None:
    await at.reader("SPY")
    other = await at.reader("SPY")
    at.tasks[0].cancel()
    await settle()
    at.hub.publish("Quote", quote("SPY", 7))
    await settle()
    assert other == [b"U:SPY=7;"]


async def test_unknown_events_and_symbols_are_ignored(at: Fixture) -> None:
    items = await at.reader("SPY")
    at.hub.publish("Quote", quote("QQQ", 1))
    at.hub.publish("Profile", ["SPY", "x"])
    await settle()
    assert items == []


async def test_what_has_not_come_again_after_a_reconnect_is_not_live(at: Fixture) -> None:
    await at.reader("SPY AAPL")
    at.hub.publish("Quote", quote("SPY", 1) + quote("AAPL", 2))
    at.hub.interrupt("gone")
    async with at.hub.hold(Kind.QUOTES, {"SPY": "SPY", "AAPL": "AAPL"}) as (spy, aapl):
        assert spy.stale
        assert aapl.stale

        at.connect()
        at.hub.publish("Quote", quote("SPY", 3))
        assert not spy.stale
        assert aapl.stale
        at.hub.publish("Quote", quote("AAPL", 4))
        assert not aapl.stale


async def test_a_trade_does_not_make_the_quote_beside_it_live(at: Fixture) -> None:
    await at.reader("SPY VIX")
    trades = [["SPY", 1.5, 1, 0, 0, 0, 0, "Q", "UP", False]]
    trades.append(["VIX", 20, *trades[0][2:]])
    at.hub.publish("Quote", quote("SPY", 1))
    at.hub.publish("Trade", trades[0] + trades[1])
    at.hub.interrupt("gone")
    at.connect()
    async with at.hub.hold(Kind.QUOTES, {"SPY": "SPY", "VIX": "VIX"}) as (spy, vix):
        at.hub.publish("Trade", trades[0] + trades[1])
        assert spy.stale
        assert not vix.stale  # it has no quote, and never had one
        at.hub.publish("Quote", quote("SPY", 2))
        assert not spy.stale


async def test_a_snapshot_of_live_values_follows_the_news_that_data_is_back(at: Fixture) -> None:
    items = await at.reader("SPY AAPL")
    at.hub.publish("Quote", quote("SPY", 1) + quote("AAPL", 2))
    at.hub.interrupt("gone")
    await settle()
    items.clear()

    at.connect()
    at.hub.publish("Quote", quote("SPY", 3))
    await settle()
    assert items == [b"U:SPY=3;"]
    at.hub.publish("Quote", quote("AAPL", 4))
    await settle()
    back, snapshot = items[1:]
    assert isinstance(back, Condition)
    assert back.live
    assert snapshot == b"S:SPY=3;AAPL=4;"


async def test_a_symbol_that_never_comes_again_holds_the_news_up_for_a_moment_only(
    at: Fixture,
) -> None:
    items = await at.reader("SPY AAPL")
    at.hub.publish("Quote", quote("SPY", 1) + quote("AAPL", 2))
    at.hub.interrupt("gone")
    at.connect()
    at.hub.publish("Quote", quote("SPY", 3))
    await settle()
    items.clear()

    await at.clock.advance(2)
    back, snapshot = items
    assert isinstance(back, Condition)
    assert snapshot == b"S:SPY=3;AAPL=2!;"


async def test_who_comes_during_an_outage_is_told_of_it(at: Fixture) -> None:
    await at.reader("SPY")
    at.hub.publish("Quote", quote("SPY", 1))
    at.hub.interrupt("gone")
    await settle()

    items = await at.reader("SPY")
    snapshot, outage = items
    assert snapshot == b"S:SPY=1!;"
    assert isinstance(outage, Condition)
    assert (outage.live, outage.cause) == (False, "gone")
    assert outage.last_received_at == at.clock.now().timestamp()


async def test_what_was_encoded_before_an_outage_is_not_sent_during_it(at: Fixture) -> None:
    since = at.hub.version
    async with (
        at.hub.hold(Kind.QUOTES, {"SPY": "SPY"}) as topics,
        at.hub.join(topics, at.codec) as group,
    ):
        at.hub.publish("Quote", quote("SPY", 1))
        assert group.collect(since, snapshot=False)[0] == b"U:SPY=1;"
        at.hub.interrupt("gone")
        assert group.collect(since, snapshot=False)[0] == b"U:SPY=1!;"


async def test_a_long_interval_holds_up_data_and_nothing_else(at: Fixture) -> None:
    items = await at.reader("SPY", interval=60, heartbeat=5)
    await at.clock.advance(1)
    at.hub.publish("Quote", quote("SPY", 1))
    await at.clock.advance(12)
    assert [type(item) for item in items] == [Heartbeat, Heartbeat]
    at.hub.interrupt("gone")
    await at.clock.advance(0.3)
    assert isinstance(items[-1], Condition)
    await at.clock.advance(60)
    assert b"U:SPY=1!;" in items


async def test_a_reader_that_waits_for_its_interval_still_ends_at_once(at: Fixture) -> None:
    over = asyncio.Event()
    send_interval = SendInterval(min_interval=60 * SECOND, heartbeat=15 * SECOND)
    async with (
        at.hub.hold(Kind.QUOTES, {"SPY": "SPY"}) as topics,
        at.hub.join(topics, at.codec) as group,
    ):
        reader = Reader(at.hub, group, at.clock, send_interval)

        async def read() -> list[Item]:
            return [item async for item in reader.items(over.is_set)]

        reading = asyncio.create_task(read())
        await settle()
        at.hub.publish("Quote", quote("SPY", 1))
        await at.clock.advance(1)
        over.set()
        await at.clock.advance(1)
        assert reading.done()


async def test_a_reader_that_is_always_behind_is_told_how_much_it_missed(at: Fixture) -> None:
    items = await at.reader("SPY", interval=1, heartbeat=5)
    for bid in range(120):
        at.hub.publish("Quote", quote("SPY", bid))
        await at.clock.advance(0.1)
    beats = [item.conflated for item in items if isinstance(item, Heartbeat)]
    assert len(beats) == 2
    assert 40 <= beats[0] <= 50
    assert 80 <= beats[1] <= 100
