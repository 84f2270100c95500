"""Chains are asked for once a day and kept within bounds."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from server.brokerage.chain_shelf import KEPT_CONTRACTS, ChainShelf
from server.brokerage.item import Faults
from server.brokerage.pacing import Customers, Pacer
from server.brokerage.turns import Turns
from server.errors import NotKnownToBroker, SymbolNotFound
from server.secret import Secret
from server.tenants import Credentials
from tests.clock import ManualClock, settle


class Pages:
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

        size = KEPT_CONTRACTS // 2 if symbol.startswith("BIG") else 1
        strikes = [
            {"strike-price": f"{n + 1}", "call": f"{symbol:<6}301220C{(n + 1) * 1000:08d}"}
            for n in range(size)
        ]
        expiration = {"expiration-date": "2030-12-20", "strikes": strikes}
        return {"items": [{"root-symbol": symbol, "expirations": [expiration]}]}


@pytest.fixture
def pages() -> Pages:
    return Pages()


def shelf(pages: Pages, clock: ManualClock | None = None) -> ChainShelf:
    return ChainShelf(pages, clock or ManualClock(), Faults())  # type: ignore[arg-type]  # only `get` and `pacer` are used


async def test_callers_at_once_share_one_request(pages: Pages) -> None:
    kept = shelf(pages)
    pages.open.clear()
    async with asyncio.TaskGroup() as group:
        same = [group.create_task(kept.get("SPY")) for _ in range(5)]
        other = group.create_task(kept.get("QQQ"))
        await settle()
        pages.open.set()

    assert len({id(each.result()) for each in same}) == 1
    assert other.result().symbol == "QQQ"
    assert sorted(pages.asked) == ["QQQ", "SPY"]


async def test_one_that_ends_first_does_not_forget_another_that_is_asked_for(pages: Pages) -> None:
    kept = shelf(pages)
    pages.open.clear()
    slow = asyncio.create_task(kept.get("SPY"))
    await settle()
    pages.open.set()
    with pytest.raises(SymbolNotFound):
        await kept.get("NOPE")

    assert await kept.get("SPY") is await slow
    assert pages.asked.count("SPY") == 1


async def test_the_least_used_chain_goes_first(pages: Pages) -> None:
    kept = shelf(pages)
    for symbol in ("BIGA", "BIGB", "BIGA", "SPY"):
        await kept.get(symbol)

    assert pages.asked == ["BIGA", "BIGB", "SPY"]
    await kept.get("BIGA")
    assert pages.asked == ["BIGA", "BIGB", "SPY"]
    await kept.get("BIGB")
    assert pages.asked == ["BIGA", "BIGB", "SPY", "BIGB"]


async def test_an_unknown_symbol_is_asked_for_again(pages: Pages) -> None:
    kept = shelf(pages)
    for _ in range(2):
        with pytest.raises(SymbolNotFound):
            await kept.get("NOPE")

    assert pages.asked == ["NOPE", "NOPE"]


async def test_a_new_day_asks_anew(pages: Pages) -> None:
    clock = ManualClock()  # 10:30 in New York
    kept = shelf(pages, clock)
    first = await kept.get("SPY")
    await clock.advance(13 * 3600)
    assert await kept.get("SPY") is first
    await clock.advance(3600)
    assert await kept.get("SPY") is not first
