"""Each order once, and the truth about it, whatever happens to answers, callers and servers.

`TASTY_LONG` takes 2,000 names instead of twelve, each from up to twenty callers at once.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from sqlalchemy import insert, text
from tasty.v1 import order_placement_pb2 as pb

from server.brokerage.api.order_requests import AcceptedChange, OrderRequest, PlaceRequest
from server.brokerage.api.order_specs import OrderSpec
from server.brokerage.transport.send_progress import SendProgress
from server.errors import BrokerTimeout, DeadlineExceeded
from server.orders.model.receipts import receipt_of
from server.orders.model.schema import journal
from server.orders.submitting.journal import Intent, State
from server.orders.submitting.submission import Broker, Submission, Submitted
from server.secret import Secret
from server.settings import Settings
from server.simulator import Simulator, SimulatorSettings
from server.simulator.exchange.orders import Ticket, TicketLeg
from server.simulator.exchange.vocabulary import Action, OrderType, TimeInForce
from server.store import Database
from server.tenants import Tenant
from tests.effort import LONG
from tests.fast_clock import FastClock
from tests.gateway import Caller, open_gateway
from tests.meddler import Meddler, Mischief
from tests.ordering import NEVER, Trader, leg, open_trader, refusal_of
from tests.service.order_cases.combinations import part
from tests.waiting import eventually

NAMES = 2000 if LONG else 12

SLOWNESS = 5
"""How much slower than a quiet machine a busy one may be."""

BUY = ("KO", "Buy to Open", 1)
FAR = "-1.00"


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings(port=0)) as running:
        yield running


@pytest.fixture
async def meddler(sim: Simulator) -> AsyncIterator[Meddler]:
    async with Meddler(sim.url) as running:
        yield running


@pytest.fixture
async def trader(sim: Simulator, meddler: Meddler, tmp_path: Path) -> AsyncIterator[Trader]:
    async with opened(sim, meddler, tmp_path) as gateway:
        yield await open_trader(gateway, "once")


@pytest.fixture
async def patient(sim: Simulator, meddler: Meddler, tmp_path: Path) -> AsyncIterator[Trader]:
    """A trader whose server waits long for the broker: fifty orders at once take their time."""
    async with opened(sim, meddler, tmp_path, broker_timeout_s=10) as gateway:
        yield await open_trader(gateway, "patient")


@pytest.fixture
async def punctual(sim: Simulator, meddler: Meddler, tmp_path: Path) -> AsyncIterator[Trader]:
    """A trader whose server keeps real time, where deadlines are what is tried."""
    settings = {"simulator_url": meddler.url}
    async with open_gateway(sim, tmp_path, **settings) as gateway:
        yield await open_trader(gateway, "punctual")


def opened(sim: Simulator, meddler: Meddler, folder: Path, **settings: Any) -> Any:
    """Returns a gateway whose broker is behind the meddler, on a clock twenty times as fast."""
    chosen = {"simulator_url": meddler.url, "broker_timeout_s": 0.7}
    return open_gateway(sim, folder, FastClock(20), **(chosen | settings))


async def state_of(trader: Trader, name: str) -> State | None:
    entry = await trader.gateway.app.orders.journal.find(trader.account, name)
    return None if entry is None else entry.state


async def settled(trader: Trader, name: str) -> State:
    """Returns the state of a name once only the broker's list was needed to know it."""
    async with asyncio.timeout(10):
        while True:
            state = await state_of(trader, name)
            if state in (State.ACCEPTED, State.REFUSED):
                return state
            await asyncio.sleep(0.02)


async def test_of_many_callers_with_one_name_all_get_one_answer(patient: Trader) -> None:
    room = asyncio.Semaphore(10)

    async def many(number: int) -> None:
        name = f"many-{number}"
        async with room:
            calls = [
                patient.place(leg(*BUY), price="-0.01", client_order_id=name)
                for _ in range(1 + 7 * number % 20)
            ]
            answers = {answer.SerializeToString() for answer in await asyncio.gather(*calls)}
            assert len(answers) == 1

    async with asyncio.TaskGroup() as group:
        for number in range(NAMES):
            group.create_task(many(number))

    sent = Counter(order.ticket.external_identifier for order in patient.orders)
    assert [sent[f"many-{number}"] for number in range(NAMES)] == [1] * NAMES


async def test_of_many_callers_with_one_name_and_two_orders_one_order_wins(
    patient: Trader,
) -> None:
    calls = [
        patient.place(leg("KO", "Buy to Open", 1 + number % 2), price=FAR, client_order_id="two")
        for number in range(10)
    ]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert len(patient.named("two")) == 1
    conflicts = [each for each in answers if isinstance(each, grpc.aio.AioRpcError)]
    assert {each.code() for each in conflicts} == {grpc.StatusCode.ALREADY_EXISTS}
    assert len(conflicts) == 5


LOST = [
    Mischief(cut="reset"),
    Mischief(cut="body"),
    Mischief(status=502),
    Mischief(status=504),
    Mischief(status=200),
    Mischief(status=429),
    Mischief(status=403),
    Mischief(delay_s=1.5),
    Mischief(cut="reset", hide_s=0.4),
    Mischief(status=502, hide_s=1.0),
]


@pytest.mark.parametrize("lost", LOST, ids=str)
async def test_an_order_whose_answer_is_lost_is_found_and_never_sent_again(
    trader: Trader, meddler: Meddler, lost: Mischief
) -> None:
    meddler.mischief.append(lost)
    first = await trader.place(leg(*BUY), price=FAR, client_order_id="lost")
    (order,) = trader.named("lost")
    assert first.client_order_id == "lost"
    assert (first.id, first.status == "Unknown") in ((str(order.id), False), ("", True))

    assert await settled(trader, "lost") is State.ACCEPTED
    again = await trader.place(leg(*BUY), price=FAR, client_order_id="lost")
    third = await trader.place(leg(*BUY), price=FAR, client_order_id="lost")
    assert again.id == str(order.id)
    assert again.SerializeToString() == third.SerializeToString()
    if first.status != "Unknown":
        assert first.SerializeToString() == again.SerializeToString()
    assert meddler.changes["POST"] == 1
    assert len(trader.named("lost")) == 1


async def test_what_never_arrived_stays_unknown_and_is_not_sent_again(
    trader: Trader, meddler: Meddler
) -> None:
    meddler.mischief.append(Mischief(done=False, status=502))
    first = await trader.place(leg(*BUY), price=FAR, client_order_id="gone")
    assert (first.status, first.id) == ("Unknown", "")
    assert not first.HasField("order")
    # Looked for again and again: not seen, which is not refused.
    async with asyncio.timeout(10):
        while await state_of(trader, "gone") is not State.NOT_SEEN:  # noqa: ASYNC110 - a row of the store sets no event
            await asyncio.sleep(0.02)
    again = await trader.place(leg(*BUY), price=FAR, client_order_id="gone")
    assert again.SerializeToString() == first.SerializeToString()
    assert (meddler.changes["POST"], trader.named("gone")) == (0, [])


async def test_what_was_certainly_not_sent_may_be_sent_again_under_its_name(
    trader: Trader, meddler: Meddler
) -> None:
    await meddler.leave()
    refusal = await refusal_of(trader.place(leg(*BUY), price=FAR, client_order_id="unsent"))
    assert refusal.code == "UNAVAILABLE"
    assert "no connection" in refusal.words
    assert await state_of(trader, "unsent") in (None, State.UNSENT)
    await meddler.listen()
    placed = await trader.place(leg(*BUY), price=FAR, client_order_id="unsent")
    assert placed.id
    assert len(trader.named("unsent")) == 1


async def test_callers_behind_one_that_sent_nothing_are_told_so(
    trader: Trader, meddler: Meddler
) -> None:
    await meddler.leave()
    calls = [trader.place(leg(*BUY), price=FAR, client_order_id="behind") for _ in range(5)]
    told = await asyncio.gather(*(refusal_of(each) for each in calls))
    assert {(each.code, "no connection" in each.words) for each in told} == {("UNAVAILABLE", True)}
    await meddler.listen()
    assert (await trader.place(leg(*BUY), price=FAR, client_order_id="behind")).id
    assert len(trader.named("behind")) == 1


async def test_a_broker_that_is_down_is_asked_until_it_answers(
    trader: Trader, meddler: Meddler
) -> None:
    meddler.mischief.append(Mischief(cut="reset"))
    placing = asyncio.create_task(
        trader.place(leg(*BUY), price=FAR, client_order_id="down", account=trader.account)
    )
    await eventually(lambda: meddler.changes["POST"])
    meddler.down = True
    first = await placing
    while_down = await trader.place(leg(*BUY), price=FAR, client_order_id="down")
    assert while_down.status == "Unknown" or first.id
    meddler.down = False
    readable = time.monotonic()
    assert await settled(trader, "down") is State.ACCEPTED
    clock: Any = trader.gateway.app.orders.single._clock
    assert (time.monotonic() - readable) * clock.factor < 15
    assert meddler.changes["POST"] == 1


@pytest.mark.parametrize("lost", [*LOST[:4], Mischief(cut="reset", hide_s=0.5)], ids=str)
async def test_a_replacement_whose_answer_is_lost_is_found(
    trader: Trader, meddler: Meddler, lost: Mischief
) -> None:
    trader.script(NEVER)
    old = (await trader.place(leg(*BUY), price=FAR)).id
    await trader.until(old, "Live")
    trader.script(NEVER)
    meddler.mischief.append(lost)
    await trader.replace(old, price="-1.50", client_order_id="better")
    assert await settled(trader, "better") is State.ACCEPTED
    changed = await trader.replace(old, price="-1.50", client_order_id="better")
    (new,) = trader.named("better")
    assert (changed.id, changed.replaced_order_id) == (str(new.id), old)
    assert new.ticket.price == Decimal("-1.50")
    assert meddler.changes["PUT"] == 1


async def test_a_complex_order_whose_answer_is_lost_is_found(
    trader: Trader, meddler: Meddler
) -> None:
    async def place() -> pb.PlaceComplexOrderResponse:
        return await trader.combine(
            "OTO",
            part(leg("KO", "Sell to Close", 1), "5000.00"),
            trigger=part(leg(*BUY), FAR),
            client_order_id="whole",
        )

    meddler.mischief.append(Mischief(cut="reset"))
    await place()
    assert await settled(trader, "whole") is State.ACCEPTED
    placed = await place()
    assert placed.status == "Placed"
    assert len(placed.complex_order.orders) == 1
    assert meddler.changes["POST"] == 1


@pytest.mark.parametrize("lost", LOST[:5], ids=str)
async def test_a_cancel_whose_answer_is_lost_is_answered_by_the_order_itself(
    trader: Trader, meddler: Meddler, lost: Mischief
) -> None:
    trader.script(NEVER)
    order_id = (await trader.place(leg(*BUY), price=FAR)).id
    await trader.until(order_id, "Live")
    meddler.mischief.append(lost)
    answer = await trader.cancel(order_id)
    assert answer.success
    assert answer.status in ("Cancel Requested", "Cancelled")
    assert meddler.changes["DELETE"] == 1


async def test_a_cancel_that_never_arrived_is_told_as_unknown_and_may_be_repeated(
    trader: Trader, meddler: Meddler
) -> None:
    trader.script(NEVER)
    order_id = (await trader.place(leg(*BUY), price=FAR)).id
    await trader.until(order_id, "Live")
    meddler.mischief.append(Mischief(done=False, cut="reset"))
    refusal = await refusal_of(trader.cancel(order_id))
    assert refusal.code == "UNAVAILABLE"
    assert f"order {order_id} is Live now" in refusal.words
    assert (await trader.cancel(order_id)).success


@pytest.mark.parametrize(
    ("status", "code"), [(403, "PERMISSION_DENIED"), (404, "NOT_FOUND"), (422, "INVALID_ARGUMENT")]
)
async def test_a_refused_change_fails_the_same_way_whatever_the_change_is(
    trader: Trader, meddler: Meddler, status: int, code: str
) -> None:
    async def bracket() -> Any:
        trader.script(NEVER, 2)
        exit_ = part(leg("KO", "Sell to Close", 1), "5000.00")
        return await trader.combine("OTO", exit_, trigger=part(leg(*BUY), FAR))

    trader.script(NEVER)
    order_id = (await trader.place(leg(*BUY), price=FAR)).id
    await trader.until(order_id, "Live")
    whole_id = (await bracket()).id
    for change in (
        lambda: trader.place(leg(*BUY), price=FAR),
        lambda: trader.replace(order_id, price="-1.50"),
        bracket,
        lambda: trader.cancel(order_id),
        lambda: trader.cancel_combined(whole_id),
    ):
        meddler.mischief.append(Mischief(done=False, status=status, code="not_permitted"))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await change()
        assert refused.value.code().name == code
        if status == 403:
            assert "ERROR_REASON_FORBIDDEN_BY_BROKER" in reasons_of(refused.value)


def reasons_of(error: grpc.aio.AioRpcError) -> list[str]:
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    reasons = []
    for each in status_pb2.Status.FromString(details).details:
        info = error_details_pb2.ErrorInfo()
        if each.Unpack(info):
            reasons.append(info.reason)

    return reasons


async def test_a_deadline_ends_the_waiting_and_not_the_sending(
    punctual: Trader, meddler: Meddler
) -> None:
    meddler.mischief.append(Mischief(delay_s=6))
    request = punctual.request(leg(*BUY), price=FAR, client_order_id="late")
    answer = await punctual.caller.orders.PlaceOrder(request, timeout=4)
    assert (answer.status, answer.client_order_id) == ("Unknown", "late")
    assert await state_of(punctual, "late") is State.SENDING, "it did not wait for the broker"
    assert await settled(punctual, "late") is State.ACCEPTED
    assert len(punctual.named("late")) == 1


async def test_an_order_whose_caller_is_out_of_time_does_not_leave(trader: Trader) -> None:
    class NeverAsked:
        async def execute(self, request: OrderRequest, progress: SendProgress) -> AcceptedChange:
            raise AssertionError("it was sent")

    work = await submission(trader, "no-time", NeverAsked())
    with pytest.raises(DeadlineExceeded):
        await trader.gateway.app.orders.submitter.submit(work, timedelta())
    assert await state_of(trader, "no-time") is None


async def test_a_caller_behind_an_order_under_way_is_not_told_that_it_was_not_sent(
    punctual: Trader, tmp_path: Path
) -> None:
    def place() -> Any:
        request = punctual.request(leg(*BUY), price=FAR, client_order_id="busy")
        return asyncio.ensure_future(punctual.caller.orders.PlaceOrder(request, timeout=4))

    # The names of the account are known by then: to find that out is written, too.
    await punctual.place(leg(*BUY), price=FAR, client_order_id="before")
    async with Database(Settings(data_dir=tmp_path)) as other, other.write():
        # Another process writes, so neither call gets as far as its row.
        first = place()
        await eventually(lambda: punctual.gateway.app.orders.submitter.statistics().in_flight)
        told = [(await each).status for each in (place(), first)]

    assert told == ["Unknown", "Unknown"]
    assert await settled(punctual, "busy") is State.ACCEPTED
    assert len(punctual.named("busy")) == 1


async def test_a_store_that_fails_behind_an_order_makes_it_unknown_and_not_failed(
    trader: Trader, tmp_path: Path
) -> None:
    class LosesItsAnswer:
        async def execute(self, request: OrderRequest, progress: SendProgress) -> AcceptedChange:
            await progress.trace("http11.send_request_headers.started", {})
            async with (
                Database(Settings(data_dir=tmp_path)) as other,
                other.write() as connection,
            ):
                await connection.execute(text("ALTER TABLE order_ledger RENAME TO lost"))

            raise BrokerTimeout("/orders")

    work = await submission(trader, "no-store", LosesItsAnswer())
    submitter = trader.gateway.app.orders.submitter
    result = await submitter.submit(work, timedelta(seconds=600))
    assert isinstance(result, Submitted)
    assert receipt_of(result.entry).status == "Unknown"


async def submission(trader: Trader, name: str, broker: Broker) -> Submission:
    spec = OrderSpec(legs=(), order_type="Market", time_in_force="Day")
    return Submission(
        tenant=await tenant_of(trader),
        broker=broker,
        intent=intent(trader, name),
        request=PlaceRequest(spec=spec),
    )


async def tenant_of(trader: Trader) -> Tenant:
    return await trader.gateway.app.tenants.authenticate(Secret("key-of-once"))


def intent(trader: Trader, name: str) -> Intent:
    return Intent(
        account_number=trader.account,
        client_order_id=name,
        tenant_id="tenant",
        kind="place",
        digest="of some order",
        notional=Decimal(1),
        symbols=("KO",),
        request={"spec": None},
    )


async def test_a_caller_that_hangs_up_changes_nothing(trader: Trader, meddler: Meddler) -> None:
    meddler.mischief.append(Mischief(delay_s=0.3))
    call = trader.caller.orders.PlaceOrder(
        trader.request(leg(*BUY), price=FAR, client_order_id="hung-up")
    )
    waiting = asyncio.ensure_future(call)
    await eventually(lambda: meddler.changes["POST"])
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await settled(trader, "hung-up") is State.ACCEPTED
    assert (await trader.place(leg(*BUY), price=FAR, client_order_id="hung-up")).id


async def test_a_new_process_finds_out_before_it_sends(
    sim: Simulator, meddler: Meddler, tmp_path: Path
) -> None:
    async with opened(sim, meddler, tmp_path) as gateway:
        trader = await open_trader(gateway, "restart")
        trader.script(NEVER)
        meddler.mischief.append(Mischief(cut="reset"))
        meddler_down = asyncio.create_task(_down_after(meddler, 1))
        first = await trader.place(leg(*BUY), price=FAR, client_order_id="before")
        await meddler_down
        assert first.status == "Unknown" or first.id

    async with opened(sim, meddler, tmp_path) as gateway:
        again = Trader(
            gateway=gateway,
            caller=gateway.caller("key-of-restart"),
            account=trader.account,
            cash_account=trader.cash_account,
        )
        if await state_of(again, "before") is not State.ACCEPTED:
            # The broker cannot be asked: nothing goes out for this account, and that is said.
            refusal = await refusal_of(again.place(leg(*BUY), price=FAR))
            assert refusal.code == "UNAVAILABLE"
        meddler.down = False
        assert await settled(again, "before") is State.ACCEPTED
        repeated = await again.place(leg(*BUY), price=FAR, client_order_id="before")
        assert repeated.id == str(again.named("before")[0].id)
        assert (await again.place(leg(*BUY), price=FAR)).id
        assert len(again.named("before")) == 1


async def _down_after(meddler: Meddler, changes: int) -> None:
    await eventually(lambda: meddler.changes["POST"] >= changes)
    meddler.down = True


async def test_an_order_on_its_way_when_the_server_stops_is_known_afterwards(
    sim: Simulator, meddler: Meddler, tmp_path: Path
) -> None:
    async with AsyncExitStack() as serving:
        # The broker answers after the server has stopped, and the caller keeps its connection.
        gateway = await serving.enter_async_context(opened(sim, meddler, tmp_path, drain_s=1.0))
        trader = await open_trader(gateway, "stopping")
        meddler.mischief.append(Mischief(delay_s=30))
        async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.app.grpc_port}") as channel:
            caller = Caller(channel, "key-of-stopping")
            request = trader.request(leg(*BUY), price=FAR, client_order_id="in-flight")
            placing = asyncio.ensure_future(caller.orders.PlaceOrder(request))
            await eventually(lambda: meddler.changes["POST"])
            await serving.aclose()
            answer = await placing

    # Not "send it again": without the name that would be a second order.
    assert (answer.status, answer.client_order_id) == ("Unknown", "in-flight")
    async with opened(sim, meddler, tmp_path) as gateway:
        again = Trader(
            gateway=gateway,
            caller=gateway.caller("key-of-stopping"),
            account=trader.account,
            cash_account=trader.cash_account,
        )
        assert await settled(again, "in-flight") is State.ACCEPTED
        assert len(again.named("in-flight")) == 1
        assert meddler.changes["POST"] == 1


async def test_five_hundred_open_orders_are_settled_within_two_seconds(
    sim: Simulator, meddler: Meddler, tmp_path: Path
) -> None:
    names = [f"open-{number}" for number in range(500)]
    async with opened(sim, meddler, tmp_path) as gateway:
        trader = await open_trader(gateway, "many")
        account = sim.exchange.registry.accounts[trader.account]
        tenant = await gateway.app.tenants.authenticate(Secret("key-of-many"))

    async with Database(Settings(data_dir=tmp_path)) as database, database.write() as connection:
        rows = [_sending(name, trader.account, tenant.id) for name in names]
        await connection.execute(insert(journal), rows)

    for name in names:
        sim.exchange.order_entry.place(account, _ticket(name))

    started = time.monotonic()
    async with opened(sim, meddler, tmp_path) as gateway:
        reconciler = gateway.app.orders.reconciler
        await eventually(lambda: reconciler.statistics().waiting == 0)
        assert reconciler.statistics().found == len(names)
        assert time.monotonic() - started < 2 * SLOWNESS
        for name in names[::50]:
            entry_ = await gateway.app.orders.journal.find(trader.account, name)
            assert entry_ is not None
            assert entry_.state is State.ACCEPTED


def _sending(name: str, account: str, tenant_id: str) -> dict[str, Any]:
    """Returns a row as a process leaves it that died while it was sending."""
    now = datetime.now(UTC)
    return {
        "id": f"row-of-{name}",
        "environment": "simulator",
        "account_number": account,
        "client_order_id": name,
        "tenant_id": tenant_id,
        "kind": "place",
        "digest": "of some order",
        "state": State.SENDING.value,
        "day": now.date() - timedelta(days=1),
        "notional_cents": 0,
        "request": json.dumps({"spec": {"legs": [{"symbol": "KO"}]}}),
        "looks": 0,
        "recorded_at": now,
        "sent_at": now,
    }


def _ticket(name: str) -> Ticket:
    return Ticket(
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        legs=(
            TicketLeg(
                symbol="KO",
                instrument_type="Equity",
                action=Action.BUY_TO_OPEN,
                quantity=Decimal(1),
            ),
        ),
        price=Decimal("-0.01"),
        external_identifier=name,
        script=NEVER,
    )
