"""Chains are asked for once a day and kept within bounds."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from server.brokerage.api.json_reader import ParseFaults
from server.brokerage.instruments.chain_memory import CONTRACT_BYTES, TENANT_PART, ChainRoom
from server.brokerage.instruments.option_chain_cache import OptionChainCache
from server.brokerage.transport.pacing import Customers, Pacer
from server.brokerage.transport.turns import Turns
from server.errors import NotKnownToBroker, SymbolNotFound, TooManyChains
from server.secret import Secret
from server.tenants import Credentials
from tests.clock import ManualClock, settle

BIG = 500
ROOM = 2 * TENANT_PART * BIG * CONTRACT_BYTES
"""For two big chains of each of four tenants."""


class Broker:
    """Answers for the broker: chains of the size that their symbols tell."""

    def __init__(self) -> None:
        clock = ManualClock()
        nobody = Credentials(client_secret=Secret("s"), refresh_token=Secret("t"), generation=1)
        turns = Turns(clock, timedelta(seconds=10))
        self.pacer = Pacer(clock, turns, Customers(clock), nobody, on=False)
        self.asked: list[str] = []
        self.open = asyncio.Event()
        self.open.set()

    async def get(self, path: str, params: Any = None) -> Any:
        symbol = path.split("/")[2]
        self.asked.append(symbol)
        await self.open.wait()
        if symbol == "NOPE":
            raise NotKnownToBroker("no such symbol")

        size = BIG if symbol.startswith("BIG") else 1
        strikes = [
            {"strike-price": f"{n + 1}", "call": f"{symbol:<6}301220C{(n + 1) * 1000:08d}"}
            for n in range(size)
        ]
        expiration = {"expiration-date": "2030-12-20", "strikes": strikes}
        return {"items": [{"root-symbol": symbol, "expirations": [expiration]}]}


@pytest.fixture
def broker() -> Broker:
    return Broker()


def cache(
    broker: Broker,
    clock: ManualClock | None = None,
    room: ChainRoom | None = None,
    owner: str = "mine",
) -> OptionChainCache:
    clock, room = clock or ManualClock(), room or ChainRoom(ROOM)
    return OptionChainCache(broker, clock, ParseFaults(), room, owner)  # type: ignore[arg-type]  # only `get` and `pacer` are used


async def test_callers_at_once_share_one_request(broker: Broker) -> None:
    kept = cache(broker)
    broker.open.clear()
    async with asyncio.TaskGroup() as group:
        same = [group.create_task(kept.get("SPY")) for _ in range(5)]
        other = group.create_task(kept.get("QQQ"))
        await settle()
        broker.open.set()

    assert len({id(each.result()) for each in same}) == 1
    assert other.result().symbol == "QQQ"
    assert sorted(broker.asked) == ["QQQ", "SPY"]


async def test_one_that_ends_first_does_not_forget_another_that_is_asked_for(
    broker: Broker,
) -> None:
    kept = cache(broker)
    broker.open.clear()
    slow = asyncio.create_task(kept.get("SPY"))
    await settle()
    broker.open.set()
    with pytest.raises(SymbolNotFound):
        await kept.get("NOPE")

    assert await kept.get("SPY") is await slow
    assert broker.asked.count("SPY") == 1


async def test_the_least_used_chain_goes_first(broker: Broker) -> None:
    kept = cache(broker)
    for symbol in ("BIGA", "BIGB", "BIGA", "SPY"):
        await kept.get(symbol)

    assert broker.asked == ["BIGA", "BIGB", "SPY"]
    await kept.get("BIGA")
    assert broker.asked == ["BIGA", "BIGB", "SPY"]
    await kept.get("BIGB")
    assert broker.asked == ["BIGA", "BIGB", "SPY", "BIGB"]


async def test_an_unknown_symbol_is_asked_for_again(broker: Broker) -> None:
    kept = cache(broker)
    for _ in range(2):
        with pytest.raises(SymbolNotFound):
            await kept.get("NOPE")

    assert broker.asked == ["NOPE", "NOPE"]


async def test_a_new_day_asks_anew(broker: Broker) -> None:
    clock = ManualClock()  # 10:30 in New York
    kept = cache(broker, clock)
    first = await kept.get("SPY")
    await clock.advance(13 * 3600)
    assert await kept.get("SPY") is first
    await clock.advance(3600)
    assert await kept.get("SPY") is not first


async def test_one_tenant_does_not_push_out_what_others_use(broker: Broker) -> None:
    room = ChainRoom(ROOM)
    mine, greedy = cache(broker, room=room), cache(broker, room=room, owner="greedy")
    await mine.get("BIGMINE")
    for number in range(50):
        await greedy.get(f"BIG{number}")
        assert room.statistics().bytes <= 3 * BIG * CONTRACT_BYTES

    assert room.statistics().chains == 3
    asked = len(broker.asked)
    await mine.get("BIGMINE")
    await greedy.get("BIG49")
    assert len(broker.asked) == asked


async def test_all_tenants_share_one_bound_and_who_has_most_gives_way(broker: Broker) -> None:
    room = ChainRoom(ROOM)
    light = cache(broker, room=room, owner="light")
    await light.get("BIGLIGHT")
    for tenant in range(20):
        other = cache(broker, room=room, owner=f"tenant {tenant}")
        await other.get("BIGA")
        await other.get("BIGB")
        assert room.statistics().bytes <= ROOM
        await light.get("BIGLIGHT")

    # It had least, and used it all the time.
    assert broker.asked.count("BIGLIGHT") == 1


async def test_a_session_that_ends_gives_its_room_back(broker: Broker) -> None:
    room = ChainRoom(ROOM)
    mine = cache(broker, room=room)
    await mine.get("BIGA")
    broker.open.clear()
    late = asyncio.create_task(mine.get("BIGB"))
    await settle()
    mine.close()
    broker.open.set()
    assert (await late).symbol == "BIGB"
    assert room.statistics().bytes == 0


async def test_what_is_being_read_is_counted_and_the_first_of_a_tenant_is_served_longest(
    broker: Broker,
) -> None:
    room = ChainRoom(ROOM)
    broker.open.clear()
    reading = []
    for tenant in range(9):
        kept = cache(broker, room=room, owner=f"tenant {tenant}")
        reading += [asyncio.create_task(kept.get(f"S{number}")) for number in range(3)]

    await settle()
    # Two at once of each tenant; his third waits for these.
    assert room.statistics().reading == len(broker.asked) == 18
    greedy = cache(broker, room=room, owner="greedy")
    first = asyncio.create_task(greedy.get("A"))
    await settle()
    with pytest.raises(TooManyChains, match="19 option chains of 18 allowed"):
        await greedy.get("B")

    assert not first.done()
    broker.open.set()
    await asyncio.gather(first, *reading, return_exceptions=True)
    assert first.result().symbol == "A"
    assert room.statistics().reading == 0
