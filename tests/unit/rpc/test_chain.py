"""The order of the chain is part of its behaviour, so it is written down twice: there and here."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.rpc.call import Call, current_call
from server.rpc.chain import CHAIN, Body, assemble
from tests.front import rpc


class Noting:
    """A link that writes down when a call comes and goes."""

    def __init__(self, name: str, notes: list[str]) -> None:
        self._name = name
        self._notes = notes

    async def around(self, call: Call, proceed: Body) -> Any:
        self._notes.append(f"into {self._name}")
        try:
            return await proceed(call)
        finally:
            self._notes.append(f"out of {self._name}")


def a_call() -> Call:
    return Call(method=rpc("Do", lambda *_: None).method, draining=asyncio.Event())


def test_the_order_is_this() -> None:
    assert [link.name for link in CHAIN] == [
        "request_id",
        "access_log",
        "metrics",
        "failures",
        "lifetime",
        "auth",
        "mcp",
        "limits",
        "urgency",
    ]


def test_every_link_tells_why_it_stands_there() -> None:
    assert all(len(link.why_here) > 10 for link in CHAIN)


async def test_calls_pass_the_links_in_that_order_and_back() -> None:
    notes: list[str] = []
    chain = assemble({link.name: Noting(link.name, notes) for link in CHAIN})

    async def body(call: Call) -> str:
        assert current_call() is call
        notes.append("servicer")
        return "answer"

    assert await chain.around(body)(a_call()) == "answer"
    names = [link.name for link in CHAIN]
    assert notes == [
        *(f"into {name}" for name in names),
        "servicer",
        *(f"out of {name}" for name in reversed(names)),
    ]


async def test_the_current_call_ends_with_the_call() -> None:
    chain = assemble({link.name: Noting(link.name, []) for link in CHAIN})

    async def body(_call: Call) -> None:
        raise LookupError("of the servicer")

    with pytest.raises(LookupError, match="of the servicer"):
        await chain.around(body)(a_call())
    with pytest.raises(LookupError):
        current_call()


@pytest.mark.parametrize("wrong", ["missing", "surplus"])
def test_a_chain_with_a_hole_is_not_assembled(wrong: str) -> None:
    interceptors = {link.name: Noting(link.name, []) for link in CHAIN}
    if wrong == "missing":
        del interceptors["auth"]
    else:
        interceptors["typo"] = Noting("typo", [])

    with pytest.raises(ValueError, match="the chain is"):
        assemble(interceptors)
