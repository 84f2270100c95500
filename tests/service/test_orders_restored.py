"""A database that is lost: names that were used before it trade no second time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from structlog.testing import capture_logs
from tasty.v1 import new_order_pb2

from server.brokerage.api.order_api import ORDERS_A_PAGE
from server.brokerage.instruments.symbols import parse
from server.orders.model.schema import journal
from server.orders.submitting.journal import Intent
from server.secret import Secret
from server.settings import Settings
from server.simulator import Simulator, SimulatorSettings
from server.simulator.faults import Fault
from server.store.report import open_once
from tests.gateway import open_gateway
from tests.ordering import NEVER, Trader, leg, open_trader, refusal_of

HISTORY = "/accounts/*/orders"
BUY = ("KO", "Buy to Open", 1)


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings(port=0)) as running:
        yield running


@asynccontextmanager
async def opened(sim: Simulator, folder: Path, **settings: Any) -> AsyncIterator[Trader]:
    """Yields the same person, whatever the folder remembers of it."""
    async with open_gateway(sim, folder, **settings) as gateway:
        yield await open_trader(gateway, "restored")


def lose(folder: Path) -> None:
    """Takes the database away, and leaves the keys."""
    for file in folder.glob("tasty.db*"):
        file.unlink()


def parts() -> list[new_order_pb2.ComplexOrderPart]:
    return [
        new_order_pb2.ComplexOrderPart(legs=[leg("KO", "Sell to Close", 1)], price=price)
        for price in ("999", "998")
    ]


async def test_after_the_loss_of_the_database_every_used_name_answers_its_order(
    sim: Simulator, tmp_path: Path
) -> None:
    async with opened(sim, tmp_path / "lost") as trader:
        await trader.bought("KO", 2)
        trader.script(NEVER, 8)
        (put,) = await trader.near("SPY", 30, "P", 1)
        listed = parse(put.symbol)
        option = leg(
            "SPY",
            "Buy to Open",
            1,
            option_type="P",
            strike_price=float(put.strike or 0),
            expiration_date=listed.expiration,
        )

        async def repeat(one: Trader) -> list[Any]:
            return [
                await one.place(leg(*BUY), price="-1.00", client_order_id="single"),
                await one.place(option, price="-0.05", client_order_id="option"),
                await one.place(leg(*BUY), order_type="Market", client_order_id="market"),
                await one.combine("OCO", *parts(), client_order_id="whole"),
                await one.replace(first, price="-1.50", client_order_id="change"),
            ]

        first = (await trader.place(leg(*BUY), price="-1.00", client_order_id="old")).id
        unnamed = await trader.place(leg(*BUY), price="-1.00")
        await trader.until(first, "Live")
        before = await repeat(trader)
        placed = len(trader.orders)

    async with opened(sim, tmp_path / "new") as again:
        with capture_logs() as logs:
            after = await repeat(again)
            old = await again.place(leg(*BUY), price="-1.00", client_order_id="old")
            made = await again.place(
                leg(*BUY), price="-1.00", client_order_id=unnamed.client_order_id
            )

        assert len(again.orders) == placed, "nothing was sent again"
        assert [answer.id for answer in after] == [answer.id for answer in before]
        assert (old.id, made.id) == (first, unnamed.id)
        assert after[0].price == "-1.00"
        assert after[0].client_order_id == "single"
        assert after[4].replaced_order_id == first
        assert [each.SerializeToString() for each in await repeat(again)] == [
            each.SerializeToString() for each in after
        ]
        (told,) = [one for one in logs if one["event"].startswith("used names restored")]
        assert "older orders" in told["not_covered"]
        new = await again.place(leg(*BUY), price="-1.00", client_order_id="new")
        assert new.id not in [answer.id for answer in before]
        assert len(again.orders) == placed + 1


async def test_with_the_keys_kept_it_is_the_same(sim: Simulator, tmp_path: Path) -> None:
    async with opened(sim, tmp_path) as trader:
        first = await trader.place(leg(*BUY), price="-1.00", client_order_id="one")

    lose(tmp_path)
    await open_once(Settings(data_dir=tmp_path), new=True, restored=False)
    async with opened(sim, tmp_path) as again:
        assert (await again.place(leg(*BUY), price="-1.00", client_order_id="one")).id == first.id
        assert len(again.named("one")) == 1


async def test_what_was_sent_after_a_copy_was_made_is_known_when_it_is_put_back(
    sim: Simulator, tmp_path: Path
) -> None:
    file = tmp_path / "tasty.db"
    async with opened(sim, tmp_path) as trader:
        tenant = await trader.gateway.app.tenants.authenticate(Secret("key-of-restored"))
        before = await trader.place(leg(*BUY), price="-1.00", client_order_id="before")
        # As it stands in a copy that is made between the writing and the sending.
        await trader.gateway.app.orders.journal.record(
            Intent(
                account_number=trader.account,
                client_order_id="meanwhile",
                tenant_id=tenant.id,
                kind="place",
                digest="of some order",
                notional=Decimal(1),
                symbols=("KO",),
                request={"spec": None},
            )
        )

    copy = file.read_bytes()
    async with opened(sim, tmp_path) as trader:
        async with trader.gateway.app.database.write() as connection:
            await connection.execute(
                delete(journal).where(journal.c.client_order_id == "meanwhile")
            )

        names = ("meanwhile", "after")
        sent = [await trader.place(leg(*BUY), price="-1.00", client_order_id=n) for n in names]

    lose(tmp_path)
    file.write_bytes(copy)
    await open_once(Settings(data_dir=tmp_path), new=False, restored=True)
    async with opened(sim, tmp_path) as again:
        placed = len(again.orders)
        names = ("before", "meanwhile", "after")
        told = [await again.place(leg(*BUY), price="-1.00", client_order_id=n) for n in names]
        assert [each.id for each in told] == [each.id for each in (before, *sent)]
        assert len(again.orders) == placed


@pytest.mark.parametrize(
    "other",
    [
        {"price": "-2.00"},
        {"price": "-1.00", "time_in_force": "GTC"},
        {"price": "-1.00", "legs": [leg("DIS", "Buy to Open", 1)]},
        {"price": "-1.00", "legs": [leg("KO", "Buy to Open", 2)]},
        {"price": "1.00", "legs": [leg("KO", "Sell to Open", 1)]},
        {"order_type": "Market"},
    ],
    ids=str,
)
async def test_a_restored_name_is_not_given_to_another_order(
    sim: Simulator, tmp_path: Path, other: dict[str, Any]
) -> None:
    async with opened(sim, tmp_path / "lost") as trader:
        await trader.place(leg(*BUY), price="-1.00", client_order_id="one")

    async with opened(sim, tmp_path / "new") as again:
        placed = len(again.orders)
        legs = other.get("legs", [leg(*BUY)])
        fields = {name: value for name, value in other.items() if name != "legs"}
        refusal = await refusal_of(again.place(*legs, client_order_id="one", **fields))
        assert refusal.code == "ALREADY_EXISTS"
        refusal = await refusal_of(again.combine("OCO", *parts(), client_order_id="one"))
        assert refusal.code == "ALREADY_EXISTS"
        assert len(again.orders) == placed
        assert (await again.place(leg(*BUY), price="-1.00", client_order_id="one")).id


async def test_while_the_history_cannot_be_read_only_names_wait(
    sim: Simulator, tmp_path: Path
) -> None:
    async with opened(sim, tmp_path / "lost") as trader:
        trader.script(NEVER)
        first = await trader.place(leg(*BUY), price="-1.00", client_order_id="one")
        await trader.until(first.id, "Live")

    async with opened(sim, tmp_path / "new") as again:
        placed = len(again.orders)
        sim.faults.add(Fault(kind="status", path=HISTORY, method="GET", status=503, count=None))
        for name in ("one", "two"):
            refusal = await refusal_of(again.place(leg(*BUY), price="-1.00", client_order_id=name))
            assert refusal.code == "UNAVAILABLE"
            assert "Nothing was sent" in refusal.words
            assert "HTTP 503" in refusal.words

        assert len(again.orders) == placed
        assert (await again.place(leg(*BUY), price="-1.00")).id, "without a name it goes"
        assert (await again.cancel(first.id)).success
        sim.faults.clear()
        assert (await again.place(leg(*BUY), price="-1.00", client_order_id="one")).id == first.id
        assert len(again.orders) == placed + 1


async def test_the_history_is_read_once_however_many_ask(sim: Simulator, tmp_path: Path) -> None:
    async with opened(sim, tmp_path / "lost") as trader:
        for number in range(ORDERS_A_PAGE + 5):
            await trader.place(leg(*BUY), price="-1.00", client_order_id=f"name-{number}")

    async with opened(sim, tmp_path / "new") as again:
        sent = again.gateway.app.brokerage.statistics
        before = sent().requests
        calls = [
            again.place(leg(*BUY), price="-1.00", client_order_id=f"name-{number}")
            for number in range(10)
        ]
        await asyncio.gather(*calls)
        pages = sent().requests - before - len(calls)
        assert 3 <= pages <= 3 + len(again.orders) // ORDERS_A_PAGE
        before = sent().requests
        await again.place(leg(*BUY), price="-1.00", client_order_id="another")
        asked = sent().requests - before

    async with opened(sim, tmp_path / "new") as third:
        sent = third.gateway.app.brokerage.statistics
        before = sent().requests
        await third.place(leg(*BUY), price="-1.00", client_order_id="third")
        assert sent().requests - before <= asked + 1, "the database knows that it has them all"


async def test_a_history_that_takes_long_ends_the_waiting_and_not_the_reading(
    sim: Simulator, tmp_path: Path
) -> None:
    async with opened(sim, tmp_path / "lost") as trader:
        first = await trader.place(leg(*BUY), price="-1.00", client_order_id="one")

    async with opened(sim, tmp_path / "new") as again:
        sim.faults.add(Fault(kind="slow", path=HISTORY, method="GET", delay=timedelta(seconds=1.5)))
        request = again.request(leg(*BUY), price="-1.00", client_order_id="one")
        refusal = await refusal_of(again.caller.orders.PlaceOrder(request, timeout=1))
        assert refusal.code == "UNAVAILABLE"
        assert "it takes a moment" in refusal.words
        assert (await again.caller.orders.PlaceOrder(request, timeout=20)).id == first.id
