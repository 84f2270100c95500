"""Account events end to end: told, found, numbered, resumed, each once and in order.

`TASTY_LONG` turns the run of fills into the whole one: 2,000 of them and 50 disconnects.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from tasty.v1 import account_event_pb2, stream_pb2
from tasty.v1 import order_service_pb2 as pb

from server.simulator import Simulator, SimulatorSettings
from server.simulator.faults import Fault
from tests.effort import LONG
from tests.fast_clock import FastClock
from tests.gateway import Gateway, open_gateway
from tests.ordering import NEVER, Trader, leg, open_trader, refusal_of
from tests.waiting import eventually

FILLS, DISCONNECTS = (2000, 50) if LONG else (200, 10)

FILL = account_event_pb2.ACCOUNT_EVENT_TYPE_FILL
ORDER = account_event_pb2.ACCOUNT_EVENT_TYPE_ORDER
POSITION = account_event_pb2.ACCOUNT_EVENT_TYPE_POSITION
BALANCE = account_event_pb2.ACCOUNT_EVENT_TYPE_BALANCE
COMPLEX = account_event_pb2.ACCOUNT_EVENT_TYPE_COMPLEX_ORDER
Event = account_event_pb2.AccountEvent


class Listener:
    """One open stream, and what it has heard."""

    def __init__(self, trader: Trader, cursor: str | None = None, **fields: Any) -> None:
        request = pb.StreamAccountEventsRequest(account_id=trader.account, **fields)
        if cursor is not None:
            request.cursor = cursor
        self._call = trader.caller.orders.StreamAccountEvents(request)
        self.events: list[Event] = []
        self.notices: list[tuple[str, stream_pb2.StreamNotice]] = []
        self.cursor = cursor or ""
        self.error: grpc.aio.AioRpcError | None = None
        self.begun = asyncio.Event()
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        try:
            async for message in self._call:
                self.begun.set()
                self.events.extend(message.events)
                if message.events:
                    self.cursor = message.events[-1].cursor
                if message.HasField("notice"):
                    kind = stream_pb2.StreamEventKind.Name(message.kind)
                    self.notices.append((kind.removeprefix("STREAM_EVENT_KIND_"), message.notice))
                    self.cursor = message.notice.cursor or self.cursor
        except grpc.aio.AioRpcError as error:
            self.error = error
        finally:
            self.begun.set()

    @property
    def fills(self) -> list[str]:
        return [each.fill.fill_id for each in self.events if each.type == FILL]

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.notices]

    async def until(self, condition: Any) -> None:
        await eventually(lambda: condition(self))

    async def close(self) -> None:
        self._call.cancel()
        await asyncio.wait([self._task])


@asynccontextmanager
async def listening(trader: Trader, cursor: str | None = None, **fields: Any) -> Any:
    listener = Listener(trader, cursor, **fields)
    try:
        await listener.begun.wait()
        yield listener
    finally:
        await listener.close()


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings(port=0)) as running:
        yield running


@pytest.fixture
async def gateway(sim: Simulator, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with open_gateway(sim, tmp_path) as running:
        yield running


@pytest.fixture
async def trader(gateway: Gateway) -> Trader:
    return await open_trader(gateway, "events")


async def resting(trader: Trader, quantity: int) -> str:
    """Returns the number of a live order that only the test fills."""
    trader.script(NEVER)
    placed = await trader.place(leg("KO", "Buy to Open", quantity), price="-1.00")
    await trader.until(placed.id, "Live")
    return placed.id


def ordered(events: list[Event]) -> bool:
    numbers = [int(each.cursor.partition(".")[0]) for each in events]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_an_order_tells_its_whole_life(trader: Trader) -> None:
    async with listening(trader) as stream:
        assert stream.kinds == ["ACKNOWLEDGEMENT"]
        placed = await trader.place(leg("KO", "Buy to Open", 1), order_type="Market")
        await stream.until(lambda s: s.events and s.events[-1].type == BALANCE)

    statuses = [each.order.status for each in stream.events if each.type == ORDER]
    assert statuses == ["Routed", "In Flight", "Live", "Filled"]
    (fill,) = [each for each in stream.events if each.type == FILL]
    assert (fill.fill_symbol, fill.fill.quantity, fill.order.id) == ("KO", 1, placed.id)
    (position,) = [each for each in stream.events if each.type == POSITION]
    assert position.position.symbol == "KO"
    assert ordered(stream.events)
    assert not any(each.recovered for each in stream.events)


async def test_a_complex_order_is_told_as_a_whole_too(trader: Trader) -> None:
    from tests.service.order_cases.combinations import part

    async with listening(trader) as stream:
        placed = await trader.combine(
            "OTO",
            part(leg("KO", "Sell to Close", 1), "5000.00"),
            trigger=part(leg("KO", "Buy to Open", 1), "-1.00"),
        )
        await stream.until(lambda s: any(each.type == COMPLEX for each in s.events))
    whole = next(each.complex_order for each in stream.events if each.type == COMPLEX)
    assert (whole.id, whole.type) == (placed.id, "OTO")


async def test_a_cursor_goes_on_where_it_stands(trader: Trader) -> None:
    order_id = await resting(trader, 3)
    async with listening(trader) as stream:
        trader.fill(order_id, 1)
        await stream.until(lambda s: s.fills)
    first = stream.fills
    trader.fill(order_id, 1)
    async with listening(trader, stream.cursor) as again:
        await again.until(lambda s: s.fills)
        trader.fill(order_id, 1)
        await again.until(lambda s: len(s.fills) == 2)
    assert len({*first, *again.fills}) == 3
    assert ordered([*stream.events, *again.events])


async def test_without_a_cursor_it_begins_now(trader: Trader) -> None:
    order_id = await resting(trader, 2)
    async with listening(trader) as stream:
        trader.fill(order_id, 1)
        await stream.until(lambda s: s.fills)
    async with listening(trader) as again:
        trader.fill(order_id, 1)
        await again.until(lambda s: s.fills)
    assert len(again.fills) == 1
    assert again.fills != stream.fills


async def test_a_cursor_of_nowhere_is_not_found(trader: Trader, gateway: Gateway) -> None:
    other = await open_trader(gateway, "events-other")
    async with listening(other) as stream:
        theirs = stream.cursor
    for cursor in ("1.ffffffff", "nonsense", theirs):
        async with listening(trader, cursor) as refused:
            assert refused.error is not None
            assert refused.error.code() is grpc.StatusCode.NOT_FOUND
            assert "No events are kept" in str(refused.error.details())


async def test_nobody_elses_account_can_be_followed(trader: Trader, gateway: Gateway) -> None:
    other = await open_trader(gateway, "events-other")
    request = pb.StreamAccountEventsRequest(account_id=other.account)

    async def follow() -> None:
        async for _ in trader.caller.orders.StreamAccountEvents(request):
            pass

    refusal = await refusal_of(follow())
    assert refusal.code == "NOT_FOUND"
    assert other.account not in refusal.words.replace(f"'{other.account}' not found", "")


async def test_a_reader_that_comes_and_goes_sees_every_fill_once_in_order(
    trader: Trader, sim: Simulator
) -> None:
    """Readers leave, and the broker's streamer is cut, while orders are filled."""
    heard: list[Event] = []
    orders = [await resting(trader, FILLS // 10) for _ in range(10)]
    async with listening(trader) as stream:
        cursor = stream.cursor

    for disconnect in range(DISCONNECTS):
        async with listening(trader, cursor) as stream:
            for number in range(FILLS // DISCONNECTS):
                trader.fill(orders[(disconnect + number) % 10], 1)
                if number % 5 == 0:
                    await asyncio.sleep(0)
            if disconnect % 5 == 4:
                sim.faults.add(Fault(kind="drop", path="/streamer", at="now"))
            if disconnect % 2:
                await stream.until(lambda s: s.fills)
        heard += stream.events
        cursor = stream.cursor

    async with listening(trader, cursor) as stream:
        known = {each.fill.fill_id for each in heard if each.type == FILL}
        await stream.until(lambda s: len(known | set(s.fills)) == FILLS)
    heard += stream.events

    fills = [each.fill.fill_id for each in heard if each.type == FILL]
    assert len(fills) == len(set(fills)) == FILLS
    assert set(fills) == {
        fill.id
        for each in trader.orders
        for leg_ in each.legs
        for fill in leg_.fills
        if str(each.id) in orders
    }
    assert ordered(heard)
    assert any(each.recovered for each in heard)
    by_order: dict[str, list[int]] = {}
    for each in heard:
        if each.type == FILL:
            at = each.fill.filled_at.ToMicroseconds()
            by_order.setdefault(each.order.id, []).append(at)
    assert all(times == sorted(times) for times in by_order.values())


async def test_what_happens_while_the_server_is_down_is_found(
    sim: Simulator, tmp_path: Path
) -> None:
    async with open_gateway(sim, tmp_path) as gateway:
        trader = await open_trader(gateway, "events")
        order_id = await resting(trader, 4)
        await trader.bought("DIS", 1)
        async with listening(trader) as stream:
            trader.fill(order_id, 1)
            await stream.until(lambda s: s.fills)

    trader.fill(order_id, 1)
    trader.fill(order_id, 2)
    async with open_gateway(sim, tmp_path) as gateway:
        reborn = await again(gateway, trader)
        async with listening(reborn, stream.cursor) as found:
            await found.until(lambda s: s.events and s.events[-1].type == BALANCE)

    assert len(found.fills) == 2
    assert not {*found.fills} & {*stream.fills}
    assert all(each.recovered for each in found.events if each.type == FILL)
    assert [each.order.status for each in found.events if each.type == ORDER] == ["Filled"]
    assert ordered([*stream.events, *found.events])


async def again(gateway: Gateway, trader: Trader) -> Trader:
    """Returns the same tenant at another server with the same store."""
    return Trader(
        gateway=gateway,
        caller=gateway.caller("key-of-events"),
        account=trader.account,
        cash_account=trader.cash_account,
    )


async def test_an_interruption_is_told_and_mended(trader: Trader, sim: Simulator) -> None:
    order_id = await resting(trader, 2)
    async with listening(trader) as stream:
        sim.faults.add(Fault(kind="refuse", path="/streamer", count=1))
        sim.faults.add(Fault(kind="drop", path="/streamer", at="now"))
        trader.fill(order_id, 1)
        await stream.until(lambda s: "RECONNECTED" in s.kinds)
        await stream.until(lambda s: s.fills)
    assert stream.kinds[:3] == ["ACKNOWLEDGEMENT", "STALE", "RECONNECTED"]
    assert len(stream.fills) == 1


async def test_heartbeats_keep_the_connection_and_beats_the_stream(
    tmp_path: Path,
) -> None:
    settings = SimulatorSettings(port=0, heartbeat_limit=timedelta(seconds=1))
    async with (
        Simulator(settings) as sim,
        open_gateway(sim, tmp_path, FastClock(20)) as gateway,
    ):
        trader = await open_trader(gateway, "events")
        async with listening(trader, heartbeat_interval=1) as stream:
            await asyncio.sleep(2)  # twice what the broker allows between heartbeats
            assert stream.kinds.count("HEARTBEAT") > 5
            assert "STALE" not in stream.kinds
            (subscription,) = gateway.app.orders.streams.statistics().subscriptions.values()
            assert subscription.connects == 1


async def test_a_mute_connection_is_noticed(sim: Simulator, tmp_path: Path) -> None:
    async with open_gateway(sim, tmp_path, FastClock(20)) as gateway:
        trader = await open_trader(gateway, "events")
        order_id = await resting(trader, 1)
        async with listening(trader) as stream:
            sim.faults.add(Fault(kind="mute", path="/streamer", at="now"))
            trader.fill(order_id, 1)
            await stream.until(lambda s: "RECONNECTED" in s.kinds and s.fills)
    stale = next(notice for kind, notice in stream.notices if kind == "STALE")
    assert "mute" in stale.detail or "connection lost" in stale.detail


async def test_what_cannot_be_read_costs_only_itself(trader: Trader, sim: Simulator) -> None:
    async with listening(trader) as stream:
        for kind, data in (
            ("Order", {}),
            ("Order", {"id": None, "account-number": trader.account}),
            ("CurrentPosition", {"account-number": trader.account, "symbol": 5}),
            ("SomethingNew", {"account-number": trader.account}),
        ):
            sim.streamer.publish(trader.account, kind, data)
        await trader.place(leg("KO", "Buy to Open", 1), price="-1.00")
        await stream.until(lambda s: s.events)
        assert "STALE" not in stream.kinds
        assert stream.events[0].order.status == "Routed"


async def test_new_credentials_end_the_stream(trader: Trader, gateway: Gateway) -> None:
    async with listening(trader) as stream:
        await open_trader(gateway, "events")
        await stream.until(lambda s: "END" in s.kinds)


async def test_a_reader_that_does_not_read_is_ended_with_its_cursor(
    sim: Simulator, tmp_path: Path
) -> None:
    async with open_gateway(sim, tmp_path, FastClock(50), account_events_behind=50) as gateway:
        trader = await open_trader(gateway, "events")
        order_id = await resting(trader, 3000)
        request = pb.StreamAccountEventsRequest(account_id=trader.account)
        call = trader.caller.orders.StreamAccountEvents(request)
        first = await call.read()
        assert first.notice.cursor
        streams = gateway.app.orders.streams
        for _ in range(400):
            for _ in range(5):
                trader.fill(order_id, 1)
            await asyncio.sleep(0.005)
            if streams.statistics().closed_slow:
                break
        assert streams.statistics().closed_slow == 1
        ended = await refusal_of(read_on(call))
        assert ended.code == "RESOURCE_EXHAUSTED"
        cursor = ended.words.rpartition("cursor=")[2]
        async with listening(trader, cursor) as stream:
            await stream.until(lambda s: s.events)


async def read_on(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass
