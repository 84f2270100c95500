"""Risk switches end to end: what each refuses, and that caps hold under parallel orders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc
import pytest
from tasty.v1 import credentials_service_pb2, new_order_pb2

from server.clock import SystemClock
from server.orders.placing.cancel_all import cancel_all
from server.orders.risk_limits import Switches
from server.orders.risk_limits_command import describe, read_switches
from server.secret import Secret
from server.settings import Settings
from server.simulator import Simulator, SimulatorSettings
from server.simulator.faults import Fault
from tests.command_line import Said, in_own_process, in_this_process
from tests.gateway import open_gateway
from tests.ordering import NEVER, Refusal, Trader, leg, open_trader, refusal_of
from tests.waiting import eventually

Way = Callable[..., Said]
NOBODY = "http://127.0.0.1:9"
"""Nothing listens on the port `discard` of a machine of today."""
KEY = "key-of-switched"
SECOND = "second-key-of-switched"


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
    tenant = await tenants.authenticate(Secret(KEY))
    await trader.gateway.app.orders.risk_limits.put(tenant.id, Switches(**fields))


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


async def test_symbols_keep_nobody_from_getting_out(trader: Trader) -> None:
    await trader.bought("KO", 3)
    await switch(trader, symbols=frozenset({"DIS"}))
    assert by("symbols", await trader.refused(leg("KO", "Buy to Open", 1), price="-1.00"))
    placed = await trader.place(leg("KO", "Sell", 3), price="0.01")
    await trader.until(placed.id, "Filled")


def close_of(quantity: float = 1, **fields: Any) -> new_order_pb2.ComplexOrderPart:
    return new_order_pb2.ComplexOrderPart(legs=[leg("KO", "Sell to Close", quantity)], **fields)


async def test_reduce_only_lets_out_and_nobody_in(trader: Trader) -> None:
    await trader.bought("KO", 6)
    trader.script(NEVER, 2)
    entry = (await trader.place(leg("KO", "Buy to Open", 1), price="-1.00")).id
    out = (await trader.place(leg("KO", "Sell to Close", 1), price="999")).id
    await trader.until(entry, "Live")
    await trader.until(out, "Live")
    await switch(trader, reduce_only=True, order_cap=Decimal("0.01"))

    assert by("reduce_only", await trader.refused(leg("KO", "Buy to Open", 1), price="-1.00"))
    assert by("reduce_only", await trader.refused(leg("DIS", "Sell to Open", 1), price="1.00"))
    assert by("reduce_only", await refusal_of(trader.replace(entry, price="-0.50")))
    bracket = (close_of(price="999"), close_of(order_type="Stop", stop_trigger="0.01"))
    opening = new_order_pb2.ComplexOrderPart(legs=[leg("KO", "Buy to Open", 1)], price="-1.00")
    refusal = await refusal_of(trader.combine("OTOCO", *bracket, trigger=opening))
    assert by("reduce_only", refusal)
    checked = await trader.place(leg("KO", "Buy to Open", 1), price="-1.00", dry_run=True)
    assert "risk_switch.reduce_only" in [error.code for error in checked.errors]
    checked = await trader.place(leg("KO", "Sell to Close", 1), price="0.01", dry_run=True)
    assert not checked.errors

    assert (await trader.cancel(entry)).success
    assert (await trader.replace(out, price="998")).id
    assert (await trader.combine("OCO", *bracket)).id
    sold = await trader.place(leg("KO", "Sell", 2), order_type="Market")
    await trader.until(sold.id, "Filled")


FUTURE = "/ESZ6"


@pytest.mark.parametrize(
    ("action", "quantity", "passes"),
    [("Sell", 2, True), ("Sell", 3, False), ("Buy", 1, False)],
)
async def test_of_a_future_the_position_decides_what_reduces(
    trader: Trader, action: str, quantity: int, passes: bool
) -> None:
    """The broker takes "Sell 3" of two contracts, and turns the position around."""
    bought = await trader.place(leg(FUTURE, "Buy", 2), order_type="Market")
    await trader.until(bought.id, "Filled")
    await switch(trader, reduce_only=True)
    wanted = trader.request(leg(FUTURE, action, quantity), order_type="Market")
    if passes:
        assert (await trader.caller.orders.PlaceOrder(wanted)).id
    else:
        assert by("reduce_only", await refusal_of(trader.caller.orders.PlaceOrder(wanted)))


async def test_what_working_orders_close_of_a_future_cannot_be_closed_again(
    trader: Trader,
) -> None:
    bought = await trader.place(leg(FUTURE, "Buy", 2), order_type="Market")
    await trader.until(bought.id, "Filled")
    await switch(trader, reduce_only=True)
    trader.script(NEVER)
    above = trader.top(FUTURE).ask
    assert above is not None
    working = (await trader.place(leg(FUTURE, "Sell", 2), price=above + 100)).id
    await trader.until(working, "Live")
    assert by("reduce_only", await trader.refused(leg(FUTURE, "Sell", 1), order_type="Market"))
    assert (await trader.replace(working, price=above + 50)).id, "it does not count against itself"


async def register(trader: Trader, key: str) -> Trader:
    """Returns the same person, who has registered another key, or the same one anew."""
    await trader.gateway.demo.credentials.SaveCredentials(
        credentials_service_pb2.SaveCredentialsRequest(
            api_key=key, client_secret="secret-switched", refresh_token="refresh-switched"
        )
    )
    return replace(trader, caller=trader.gateway.caller(key))


async def test_who_deletes_his_key_and_registers_it_again_is_bound_as_before(
    trader: Trader,
) -> None:
    trader.script(NEVER, 3)
    await switch(trader, day_cap=Decimal(100), symbols=frozenset({"KO"}))
    assert (await trader.place(leg("KO", "Buy to Open", 60), price="-1.00")).id
    request = credentials_service_pb2.DeleteCredentialsRequest(api_key=KEY)
    await trader.caller.credentials.DeleteCredentials(request)
    again = await register(trader, KEY)

    assert by("symbols", await again.refused(leg("DIS", "Buy to Open", 1), price="-1.00"))
    refusal = await again.refused(leg("KO", "Buy to Open", 60), price="-1.00")
    assert by("day_cap", refusal)
    assert "60.00 was sent today" in refusal.words
    assert (await again.place(leg("KO", "Buy to Open", 40), price="-1.00")).id

    await switch(again)
    assert (await again.place(leg("DIS", "Buy to Open", 1), price="-1.00")).id


async def test_read_only_stays_with_a_key_that_is_registered_again(trader: Trader) -> None:
    await switch(trader, read_only=True)
    request = credentials_service_pb2.DeleteCredentialsRequest(api_key=KEY)
    await trader.caller.credentials.DeleteCredentials(request)
    again = await register(trader, KEY)
    assert by("read_only", await again.refused(leg("KO", "Buy to Open", 1), price="-1.00"))


async def test_a_second_key_of_the_same_account_is_bound_too(
    trader: Trader, tmp_path: Path
) -> None:
    trader.script(NEVER, 3)
    await switch(trader, day_cap=Decimal(100), order_cap=Decimal(70))
    assert by("order_cap", await trader.refused(leg("KO", "Buy to Open", 71), price="-1.00"))
    second = await register(trader, SECOND)
    assert (await second.place(leg("KO", "Buy to Open", 60), price="-1.00")).id
    refusal = await trader.refused(leg("KO", "Buy to Open", 60), price="-1.00")
    assert by("day_cap", refusal)
    refusal = await second.refused(leg("KO", "Buy to Open", 71), price="-1.00")
    assert by("order_cap", refusal)
    assert "this account may send 70.00" in refusal.words
    first, other = [
        (await trader.gateway.app.tenants.authenticate(Secret(key))).id for key in (KEY, SECOND)
    ]
    shown = await read_switches(Settings(data_dir=tmp_path), other)
    assert (shown.switches, shown.others) == (Switches(), [first])
    assert f"switches of tenant {first}, too" in describe(shown)

    await switch(trader, read_only=True)
    assert (await second.place(leg("KO", "Buy to Open", 1), price="-1.00")).id, (
        "who may only look keeps nobody else from trading"
    )


async def test_the_operator_cancels_all_that_works(sim: Simulator, tmp_path: Path) -> None:
    def run(*arguments: str, key: str = KEY) -> Said:
        variables = {"TASTY_DATA_DIR": str(tmp_path), "TASTY_SIMULATOR_URL": sim.url}
        return in_own_process("switches", *arguments, given=key, **variables)

    async with open_gateway(sim, tmp_path) as gateway:
        trader = await open_trader(gateway, "switched")
        await trader.bought("KO", 2)
        trader.script(NEVER, 4)
        single = (await trader.place(leg("KO", "Buy to Open", 1), price="-1.00")).id
        whole = (await trader.combine("OCO", close_of(price="999"), close_of(price="998"))).id
        await trader.until(single, "Live")
        await asyncio.to_thread(run, "set", "--read-only", "--reduce-only")
        sim.faults.add(
            Fault(kind="lost-answer", path="/accounts/*/complex-orders/*", method="DELETE")
        )
        done = await asyncio.to_thread(run, "cancel-orders")
        lines = done.out.splitlines()
        assert f"{trader.account}  order {single}  cancelled: Cancel Requested" in lines
        assert any(f"complex order {whole}  cancelled" in line for line in lines)
        assert len(lines) == 2
        assert done.code == 0
        await eventually(lambda: all(order.status.terminal for order in trader.orders))
        tenant = await gateway.app.tenants.authenticate(Secret(KEY))
        again = await asyncio.to_thread(run, "cancel-orders", "--tenant", tenant.id, key="")
        assert (again.code, again.out) == (0, "")


async def test_the_operator_is_told_what_was_not_cancelled(sim: Simulator, tmp_path: Path) -> None:
    async with open_gateway(sim, tmp_path) as gateway:
        trader = await open_trader(gateway, "switched")
        trader.script(NEVER, 2)
        first = (await trader.place(leg("KO", "Buy to Open", 1), price="-1.00")).id
        second = (await trader.place(leg("KO", "Buy to Open", 1), price="-1.00")).id
        await trader.until(first, "Live")
        await trader.until(second, "Live")
        tenant = await gateway.app.tenants.authenticate(Secret(KEY))
        session = await gateway.app.brokerage.session(tenant)
        words = {"code": "cannot_update_order", "message": "You cannot."}
        path = f"/accounts/*/orders/{first}"
        sim.faults.add(Fault(kind="status", path=path, method="DELETE", status=422, **words))
        path = f"/accounts/*/orders/{second}"
        sim.faults.add(Fault(kind="status", path=path, method="DELETE", status=502))
        results = [each async for each in cancel_all(session, SystemClock())]

    assert {(each.what, each.outcome) for each in results} == {
        (f"order {first}", "refused"),
        (f"order {second}", "unknown"),
    }
    assert trader.at_broker(second).status.value == "Live"


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
        # Nobody answers there: the accounts cannot be asked for, and that is said.
        variables = {"TASTY_DATA_DIR": str(tmp_path), "TASTY_SIMULATOR_URL": NOBODY}
        return way("switches", *arguments, given=key, **variables)

    def shown(*arguments: str, key: str = "demo-key") -> list[str]:
        return [line.split()[-1] for line in run("show", *arguments, key=key).out.splitlines()]

    arguments = ("set", "--order-cap", "5000", "--symbols", "spy,/ES", "--read-only")
    done = run(*arguments, way=in_own_process)
    assert done.code == 0, done.err
    assert "The accounts could not be asked for" in done.out
    tenant = shown()[5]
    assert shown() == ["yes", "no", "$5,000.00", "none", "SPY", tenant, "yet"]
    arguments = ("--read-write", "--order-cap", "none", "--symbols", "all", "--reduce-only")
    assert run("set", *arguments).code == 0
    assert shown() == ["no", "yes", "none", "none", "all", tenant, "yet"]
    assert shown("--tenant", tenant[:12], key="") == shown()
    assert run("set", "--tenant", tenant, "--no-reduce-only", key="").code == 0
    assert shown()[1] == "no"
    assert run("show", key="nobodys-key").code != 0
    assert "no tenant 'nobody'" in run("show", "--tenant", "nobody").err
    assert run("set", "--day-cap", "-5").code != 0
