"""Risk switches end to end: what each refuses, and that caps hold under parallel orders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc
import pytest

from server.orders.switches import Switches
from server.secret import Secret
from server.simulator import Simulator, SimulatorSettings
from tests.command_line import Said, in_own_process, in_this_process
from tests.gateway import open_gateway
from tests.ordering import NEVER, Refusal, Trader, leg, open_trader, refusal_of

Way = Callable[..., Said]


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings(port=0)) as running:
        yield running


@pytest.fixture
async def trader(sim: Simulator, tmp_path: Path) -> AsyncIterator[Trader]:
    async with open_gateway(sim, tmp_path) as gateway:
        yield await open_trader(gateway, "switched")


async def switch(trader: Trader, **fields: Any) -> None:
    tenants = trader.gateway.app.tenants
    tenant = await tenants.authenticate(Secret("key-of-switched"))
    await trader.gateway.app.office.board.put(tenant.id, Switches(**fields))


def by(switch_name: str, refusal: Refusal) -> bool:
    return refusal.code == "PERMISSION_DENIED" and f"Risk switch {switch_name}:" in refusal.words


async def test_read_only_refuses_every_change_and_no_look(trader: Trader) -> None:
    trader.script(NEVER)
    order_id = (await trader.place(leg("KO", "Buy to Open", 1), price="-1.00")).id
    await trader.until(order_id, "Live")
    await switch(trader, read_only=True)

    assert by("read_only", await trader.refused(leg("KO", "Buy to Open", 1), price="-1.00"))
    assert by("read_only", await refusal_of(trader.replace(order_id, price="-1.50")))
    assert by("read_only", await refusal_of(trader.cancel(order_id)))
    assert trader.at_broker(order_id).status.value == "Live"
    assert (await trader.order(order_id)).id == order_id
    checked = await trader.place(leg("KO", "Buy to Open", 1), price="-1.00", dry_run=True)
    assert "risk_switch.read_only" in [error.code for error in checked.errors]


async def test_the_cap_of_an_order(trader: Trader) -> None:
    await switch(trader, order_cap=Decimal(100))
    assert (await trader.place(leg("KO", "Buy to Open", 100), price="-1.00")).id
    refusal = await trader.refused(leg("KO", "Buy to Open", 101), price="-1.00")
    assert by("order_cap", refusal)
    assert "101.00" in refusal.words


async def test_a_market_order_is_weighed_by_its_quote(trader: Trader) -> None:
    await switch(trader, order_cap=Decimal(1))
    assert by("order_cap", await trader.refused(leg("KO", "Buy to Open", 1), order_type="Market"))


async def test_a_cap_keeps_nobody_from_getting_out(trader: Trader) -> None:
    await trader.bought("KO", 3)
    await switch(trader, order_cap=Decimal("0.01"), day_cap=Decimal("0.01"))
    placed = await trader.place(leg("KO", "Sell to Close", 3), price="0.01")
    await trader.until(placed.id, "Filled")


async def test_a_better_price_counts_only_what_it_adds(trader: Trader) -> None:
    await switch(trader, day_cap=Decimal(100))
    trader.script(NEVER)
    order_id = (await trader.place(leg("KO", "Buy to Open", 60), price="-1.00")).id
    await trader.until(order_id, "Live")
    assert by("day_cap", await refusal_of(trader.replace(order_id, price="-2.00")))
    assert (await trader.replace(order_id, price="-1.50")).id


async def test_an_order_does_not_pass_its_cap_in_small_steps(trader: Trader) -> None:
    await switch(trader, order_cap=Decimal(100))
    trader.script(NEVER, 3)
    order_id = (await trader.place(leg("KO", "Buy to Open", 60), price="-1.00")).id
    await trader.until(order_id, "Live")
    order_id = (await trader.replace(order_id, price="-1.50")).id
    await trader.until(order_id, "Live")
    refusal = await refusal_of(trader.replace(order_id, price="-2.00"))
    assert by("order_cap", refusal)
    assert "120.00" in refusal.words
    await switch(trader, order_cap=Decimal(50))
    assert (await trader.replace(order_id, price="-1.40")).id, "what commits less may always go"


@pytest.mark.parametrize(
    "wanted",
    [
        {"price": "0.01"},
        {"order_type": "Stop", "stop_trigger": "0.01"},
        {"order_type": "Stop Limit", "stop_trigger": "0.02", "price": "0.01"},
    ],
    ids=["limit", "stop", "stop limit"],
)
async def test_what_is_traded_at_the_market_is_weighed_by_it(
    trader: Trader, wanted: dict[str, Any]
) -> None:
    await switch(trader, order_cap=Decimal(10))
    refusal = await trader.refused(leg(trader.fresh(), "Sell to Open", 1), **wanted)
    assert by("order_cap", refusal)


async def test_an_order_of_any_size_has_an_answer(trader: Trader) -> None:
    refusal = await trader.refused(leg("/6EZ6", "Buy", 1_000_000), price="-1000000")
    assert refusal.code == "INVALID_ARGUMENT", "the broker's own words, and no error of ours"


async def test_symbols(trader: Trader) -> None:
    await switch(trader, symbols=frozenset({"KO"}))
    assert (await trader.place(leg("KO", "Buy to Open", 1), price="-1.00")).id
    assert by("symbols", await trader.refused(leg("DIS", "Buy to Open", 1), price="-1.00"))


async def test_fifty_parallel_orders_stay_below_the_cap_across_a_restart(
    sim: Simulator, tmp_path: Path
) -> None:
    async def fifty(trader: Trader, part: str) -> int:
        calls = [
            trader.place(leg("KO", "Buy to Open", 7), price="-1.00", client_order_id=f"{part}-{n}")
            for n in range(25)
        ]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        refused = [each for each in answers if isinstance(each, grpc.aio.AioRpcError)]
        assert all("day_cap" in str(each.details()) for each in refused)
        return len(answers) - len(refused)

    async with open_gateway(sim, tmp_path, orders_day_cap=Decimal(200)) as one:
        trader = await open_trader(one, "switched")
        first = await fifty(trader, "before")
    async with open_gateway(sim, tmp_path, orders_day_cap=Decimal(200)) as two:
        trader = await open_trader(two, "switched")
        second = await fifty(trader, "after")

    assert (first, second) == (25, 3)  # 28 x 7 = 196
    ours = [each for each in trader.orders if each.ticket.external_identifier]
    assert sum(each.legs[0].quantity or 0 for each in ours) == 196


def test_the_operator_sets_switches_and_no_list_of_processes_shows_the_key(
    tmp_path: Path,
) -> None:
    def run(*arguments: str, key: str = "demo-key", way: Way = in_this_process) -> Said:
        return way("switches", *arguments, given=key, TASTY_DATA_DIR=str(tmp_path))

    arguments = ("set", "--order-cap", "5000", "--symbols", "spy,/ES", "--read-only")
    done = run(*arguments, way=in_own_process)
    assert done.code == 0, done.err
    shown = run("show").out.splitlines()
    assert [line.split()[-1] for line in shown] == ["yes", "$5,000.00", "none", "SPY"]
    run("set", "--read-write", "--order-cap", "none", "--symbols", "all")
    assert [line.split()[-1] for line in run("show").out.splitlines()] == [
        *("no", "none", "none", "all")
    ]
    assert run("show", key="nobodys-key").code != 0
    assert run("set", "--day-cap", "-5").code != 0
