"""Watchlists end to end: any name, no lost entries, no update lost to another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from tasty.v1 import watchlist_pb2
from tasty.v1 import watchlist_service_pb2 as pb

from server.brokerage.api.watchlists import WatchlistEntry
from server.simulator import Simulator, SimulatorSettings
from server.simulator.faults import Fault
from tests.broker import open_brokerage, tenant
from tests.gateway import Gateway, open_gateway

NAMES = [
    "tech-stocks",
    "tech/stocks",
    "naïve 100%",
    "a b+c&d=e?f#g",
    "..%2F..",
    "…/…",
    "日本株",
    "'quoted\"",
]


pytestmark = pytest.mark.asyncio(loop_scope="module")
"""One server for all tests of this file."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings(port=0)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(
    sim: Simulator, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    async with open_gateway(sim, tmp_path_factory.mktemp("data")) as running:
        yield running


def change(action: str, name: str, *symbols: str) -> pb.ManageWatchlistRequest:
    entries = [watchlist_pb2.WatchlistEntry(symbol=each) for each in symbols]
    return pb.ManageWatchlistRequest(action=action, name=name, symbols=entries)


def symbols_of(answer: Any) -> list[str]:
    return [each.symbol for each in answer.watchlist_entries]


async def refused(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call

    return raised.value.code(), str(raised.value.details())


@pytest.mark.parametrize("name", NAMES)
async def test_the_life_of_a_list_of_any_name(gateway: Gateway, name: str) -> None:
    lists = gateway.demo.watchlists
    made = await lists.ManageWatchlist(change("add", name, "AAPL", "tsla"))
    assert (made.success, made.action, made.watchlist) == (True, "create", name)
    assert symbols_of(made) == ["AAPL", "TSLA"]
    assert made.symbols_count == 2

    again = await lists.ManageWatchlist(change("add", name, "AAPL", "/ESZ6"))
    assert again.action == "add"
    assert symbols_of(again) == ["AAPL", "TSLA", "/ESZ6"]

    less = await lists.ManageWatchlist(change("remove", name, "tsla", "MSFT"))
    assert less.action == "remove"
    assert symbols_of(less) == ["AAPL", "/ESZ6"]
    assert list(less.not_found) == ["MSFT"]

    found = await lists.ListWatchlists(pb.ListWatchlistsRequest(name=name))
    assert [each.name for each in found.watchlists] == [name]
    assert symbols_of(found.watchlists[0]) == ["AAPL", "/ESZ6"]

    gone = await lists.DeleteWatchlist(pb.DeleteWatchlistRequest(name=name))
    assert (gone.success, gone.watchlist) == (True, name)
    status, words = await refused(lists.DeleteWatchlist(pb.DeleteWatchlistRequest(name=name)))
    assert status is grpc.StatusCode.NOT_FOUND
    assert words.startswith(f"Watchlist '{name}' not found. Available watchlists: [")


async def test_lists_are_private_unless_public_ones_are_asked_for(gateway: Gateway) -> None:
    ask = gateway.demo.watchlists.ListWatchlists
    private = await ask(pb.ListWatchlistsRequest())
    same = await ask(pb.ListWatchlistsRequest(watchlist_type="private"))
    public = await ask(pb.ListWatchlistsRequest(watchlist_type="public"))

    assert private == same
    assert private.watchlists
    assert public.watchlists
    names = {each.name for each in private.watchlists}
    assert names.isdisjoint(each.name for each in public.watchlists)
    assert all(each.watchlist_entries for each in public.watchlists)


async def test_without_a_name_the_list_is_main(gateway: Gateway) -> None:
    entry = watchlist_pb2.WatchlistEntry(symbol="SPY", instrument_type="Equity")
    made = await gateway.demo.watchlists.ManageWatchlist(
        pb.ManageWatchlistRequest(action="add", symbols=[entry])
    )
    assert made.watchlist == "main"


async def test_one_tenants_lists_are_not_anothers(sim: Simulator) -> None:
    async with open_brokerage(sim) as brokerage:
        one = await brokerage.session(tenant("token-one"))
        two = await brokerage.session(tenant("token-two"))
        await one.watchlists.add("mine", [WatchlistEntry(symbol="SPY", instrument_type=None)])

        assert "mine" in [each.name for each in await one.watchlists.all("private")]
        assert "mine" not in [each.name for each in await two.watchlists.all("private")]


async def test_changes_at_once_lose_nothing(sim: Simulator) -> None:
    """The broker replaces a list as a whole: two changes that read the same state lose one."""
    async with open_brokerage(sim) as brokerage:
        session = await brokerage.session(tenant())
        symbols = [f"A{letter}" for letter in "ABCDEFGHIJ"]
        async with asyncio.TaskGroup() as group:
            for symbol in symbols:
                entry = WatchlistEntry(symbol=symbol, instrument_type="Equity")
                group.create_task(session.watchlists.add("busy", [entry]))

        kept = await session.watchlists.one("private", "busy")
        assert sorted(each.symbol for each in kept.entries) == symbols


async def test_a_failure_to_read_makes_no_list(sim: Simulator) -> None:
    """Only "there is none" may make one: any other failure would overwrite what is there."""
    async with open_brokerage(sim) as brokerage:
        session = await brokerage.session(tenant())
        before = await session.watchlists.all("private")
        entry = WatchlistEntry(symbol="SPY", instrument_type="Equity")
        for status in (403, 500, 502):
            sim.faults.add(Fault(kind="status", path="/watchlists", status=status))
            with pytest.raises(Exception, match="TastyTrade"):
                await session.watchlists.add("Favorites", [entry])

        assert [each.raw for each in await session.watchlists.all("private")] == [
            each.raw for each in before
        ]


async def test_a_change_that_changes_nothing_writes_nothing(sim: Simulator) -> None:
    async with open_brokerage(sim) as brokerage:
        session = await brokerage.session(tenant())
        before = session.connection.transport.requests
        await session.watchlists.remove("Favorites", ["NOPE"])
        assert session.connection.transport.requests - before == 1


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (change("burn", "main", "SPY"), "Invalid action 'burn'. Expected one of add, remove."),
        (change("", "main", "SPY"), "Invalid action ''. Expected one of add, remove."),
        (change("add", "main"), "At least one symbol is required"),
        (change("add", "main", ""), "At least one symbol is required"),
        (change("add", "main", "SPY", " "), "Invalid symbols[1].symbol ' '. Expected some text."),
        (
            change("add", "", "SPY"),
            "Invalid name ''. Expected a name of 1 to 255 characters, not '.' or '..'.",
        ),
        (
            change("add", "..", "SPY"),
            "Invalid name '..'. Expected a name of 1 to 255 characters, not '.' or '..'.",
        ),
    ],
)
async def test_bad_changes_are_told(
    gateway: Gateway, request_: pb.ManageWatchlistRequest, words: str
) -> None:
    assert await refused(gateway.demo.watchlists.ManageWatchlist(request_)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        words,
    )


async def test_removing_from_a_list_that_is_not_there(gateway: Gateway) -> None:
    status, words = await refused(
        gateway.demo.watchlists.ManageWatchlist(change("remove", "nowhere", "SPY"))
    )
    assert status is grpc.StatusCode.NOT_FOUND
    assert words.startswith("Watchlist 'nowhere' not found. Available watchlists: ['Favorites'")
