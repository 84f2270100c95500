"""Values that are made once: shared while they are made, and bounded in number."""

from __future__ import annotations

import asyncio

import pytest

from server.brokerage.transport.single_flight import OnceEach
from server.errors import SymbolNotFound
from tests.clock import settle


class Maker:
    def __init__(self) -> None:
        self.made: list[str] = []
        self.open = asyncio.Event()
        self.open.set()

    async def of(self, name: str) -> str:
        self.made.append(name)
        await self.open.wait()
        if name == "NOPE":
            raise SymbolNotFound(name)

        return name.lower()


async def test_each_is_made_once_and_the_longest_unused_goes() -> None:
    kept, maker = OnceEach[str, str](3), Maker()
    for name in ("A", "B", "A", "C", "A", "D"):
        assert await kept.get(name, lambda name=name: maker.of(name)) == name.lower()  # type: ignore[misc]  # bound at once

    assert len(kept) == 3
    await kept.get("A", lambda: maker.of("A"))
    await kept.get("B", lambda: maker.of("B"))
    assert maker.made == ["A", "B", "C", "D", "B"]


async def test_what_cannot_be_made_is_not_kept() -> None:
    kept, maker = OnceEach[str, str](3), Maker()
    for _ in range(5):
        with pytest.raises(SymbolNotFound):
            await kept.get("NOPE", lambda: maker.of("NOPE"))

    assert len(kept) == 0


async def test_callers_at_once_share_the_making_also_while_everything_is_forgotten() -> None:
    kept, maker = OnceEach[str, str](1), Maker()
    maker.open.clear()
    waiting = [asyncio.create_task(kept.get("A", lambda: maker.of("A"))) for _ in range(3)]
    await settle()
    kept.clear()
    other = asyncio.create_task(kept.get("B", lambda: maker.of("B")))
    await settle()
    maker.open.set()
    assert await asyncio.gather(*waiting, other) == ["a", "a", "a", "b"]
    assert maker.made == ["A", "B"]
