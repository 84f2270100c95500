"""Sessions against the simulator: shared, kept fresh, evicted, ended, and final when revoked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest

from server.errors import (
    BrokerThrottled,
    BrokerTimeout,
    BrokerUnavailable,
    BrokerUnreadable,
    ForbiddenByBroker,
    GatewayError,
    GrantRevoked,
    NotACustomer,
    NotKnownToBroker,
    RefusedByBroker,
    ShuttingDown,
)
from server.simulator import Simulator, SimulatorSettings
from server.simulator.faults import Fault
from tests.broker import DEMO, Grants, open_brokerage, tenant
from tests.clock import ManualClock

ME = "/customers/me"


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings(port=0)) as simulator:
        yield simulator


def real_time_standing_still() -> ManualClock:
    """The SDK dates its tokens by the machine's time, so the clock starts there."""
    return ManualClock(start=datetime.now(UTC))


async def test_callers_at_once_share_one_login(sim: Simulator) -> None:
    async with open_brokerage(sim) as brokerage:
        sessions = await asyncio.gather(*(brokerage.session(tenant()) for _ in range(20)))

        assert len(set(map(id, sessions))) == 1
        assert sim.oauth.statistics().granted == 1
        assert brokerage.statistics().opened == 1


async def test_a_cancelled_first_caller_does_not_take_the_others_along(sim: Simulator) -> None:
    sim.faults.add(Fault(kind="slow", path="/oauth/token", delay=timedelta(seconds=0.2)))
    async with open_brokerage(sim) as brokerage:
        brokerage.warm_up()
        first = asyncio.create_task(brokerage.session(tenant()))
        second = asyncio.create_task(brokerage.session(tenant()))
        await asyncio.sleep(0)
        first.cancel()

        assert (await second).tenant.id == DEMO
        assert first.cancelled()


async def test_a_login_ends_even_if_all_who_wait_for_it_leave(sim: Simulator) -> None:
    """Else a caller who leaves quickly would have free tries: nobody would see them refused."""
    sim.faults.add(Fault(kind="slow", path="/oauth/token", delay=timedelta(seconds=0.2)))
    grants = Grants()
    async with open_brokerage(sim, grants=grants) as brokerage:
        for _ in range(3):
            caller = asyncio.create_task(brokerage.session(tenant("revoked")))
            await until(lambda: sim.faults.statistics().fired.get("slow") == 1)
            caller.cancel()

        await until(lambda: grants.logins.ended == ["refused"])
        with pytest.raises(GrantRevoked):
            await brokerage.session(tenant("revoked"))

        assert sim.oauth.statistics().refused == 1


@pytest.mark.parametrize(
    ("fault", "ended"),
    [
        (Fault(kind="status", path="/oauth/token", status=503), "unsent"),
        (Fault(kind="rate-limit", path="/oauth/token"), "unsent"),
        (Fault(kind="html", path="/oauth/token", status=403), "unknown"),
        (Fault(kind="status", path="/oauth/token", status=401, code="of_no_name"), "unknown"),
        (Fault(kind="hang", path="/oauth/token"), "unknown"),
        (Fault(kind="reset", path="/oauth/token"), "unknown"),
        (Fault(kind="cut-answer", path="/oauth/token"), "unknown"),
    ],
    ids=lambda value: value.kind + str(value.status or "") if isinstance(value, Fault) else "",
)
async def test_what_became_of_a_login_is_told_to_the_budget(
    sim: Simulator, fault: Fault, ended: str
) -> None:
    grants = Grants()
    async with open_brokerage(sim, grants=grants, broker_timeout_s=0.3) as brokerage:
        sim.faults.add(fault)
        with pytest.raises(GatewayError):
            await brokerage.session(tenant())

        await brokerage.session(tenant())

    assert grants.logins.ended == [ended, "worked"]


async def test_a_login_to_a_broker_that_is_not_there_costs_nothing(sim: Simulator) -> None:
    grants = Grants()
    async with open_brokerage(sim, grants=grants) as brokerage:
        await sim.__aexit__(None, None, None)
        with pytest.raises(BrokerUnavailable):
            await brokerage.session(tenant())

    assert grants.logins.ended == ["unsent"]


async def test_tenants_have_sessions_of_their_own(sim: Simulator) -> None:
    async with open_brokerage(sim) as brokerage:
        one = await brokerage.session(tenant("token-one"))
        two = await brokerage.session(tenant("token-two"))

        first = await one.connection.get(ME)
        second = await two.connection.get(ME)
        assert first["id"] != second["id"]


async def test_a_revoked_grant_is_final_until_credentials_change(sim: Simulator) -> None:
    grants = Grants()
    grants.tokens["t"] = "revoked-token"
    async with open_brokerage(sim, grants=grants) as brokerage:
        for _ in range(3):
            with pytest.raises(GrantRevoked, match="Error: Grant revoked"):
                await brokerage.session(tenant("t", generation=1))

        assert sim.oauth.statistics().refused == 1
        assert brokerage.statistics().revoked == 1

        grants.tokens["t"] = "a-fresh-token"
        await brokerage.end("t")
        session = await brokerage.session(tenant("t", generation=2))
        assert await session.connection.get(ME)


async def test_waiters_share_the_one_refusal(sim: Simulator) -> None:
    async with open_brokerage(sim) as brokerage:
        results = await asyncio.gather(
            *(brokerage.session(tenant("revoked")) for _ in range(10)), return_exceptions=True
        )

        assert all(isinstance(each, GrantRevoked) for each in results)
        assert sim.oauth.statistics().refused == 1


async def test_a_grant_revoked_in_mid_life_stops_all_requests(sim: Simulator) -> None:
    clock = real_time_standing_still()
    grants = Grants()
    async with open_brokerage(sim, clock, grants) as brokerage:
        session = await brokerage.session(tenant())
        sim.oauth.revoke(DEMO)
        for _ in range(3):
            with pytest.raises(GrantRevoked):
                await session.connection.get(ME)

        refused = sim.oauth.statistics().refused
        assert refused == 1

        # The keeper drops the session and keeps the refusal.
        await clock.advance(301)
        with pytest.raises(GrantRevoked):
            await brokerage.session(tenant())

        assert sim.oauth.statistics().refused == refused
        assert brokerage.statistics().open == 0
        assert grants.logins.ended == ["worked", "revoked"]


async def test_an_expired_token_is_renewed_once_for_many_reads(sim: Simulator) -> None:
    async with open_brokerage(sim) as brokerage:
        session = await brokerage.session(tenant())
        sim.oauth.expire_access_tokens()

        answers = await asyncio.gather(*(session.connection.get(ME) for _ in range(10)))
        assert len({answer["id"] for answer in answers}) == 1
        assert sim.oauth.statistics().granted == 2


async def test_a_read_is_repeated_once_only(sim: Simulator) -> None:
    async with open_brokerage(sim) as brokerage:
        session = await brokerage.session(tenant())
        sim.faults.add(Fault(kind="expired-token", path=ME, count=None))
        before = session.connection.transport.requests
        with pytest.raises(BrokerUnavailable):
            await session.connection.get(ME)

        # The read, the renewal, the read again.
        assert session.connection.transport.requests - before == 3


async def test_a_write_is_never_repeated(sim: Simulator) -> None:
    async with open_brokerage(sim) as brokerage:
        session = await brokerage.session(tenant())
        sim.oauth.expire_access_tokens()
        before = session.connection.transport.requests
        with pytest.raises(BrokerUnavailable):
            await session.connection.send("POST", "/sessions/validate")

        assert session.connection.transport.requests - before == 1
        # The next one renews the token first: nobody reads meanwhile who would have done it.
        assert await session.connection.send("POST", "/sessions/validate")
        assert sim.oauth.statistics().granted == 2


async def test_tokens_are_renewed_before_they_end(sim: Simulator) -> None:
    clock = real_time_standing_still()
    async with open_brokerage(sim, clock) as brokerage:
        session = await brokerage.session(tenant())
        await clock.advance(301)
        assert session.connection.renewals == 1  # 10 minutes are left, two rounds fit in

        await clock.advance(300)
        await until(lambda: session.connection.renewals == 2)
        assert brokerage.statistics().failed_renewals == 0


async def test_a_failed_renewal_is_not_fatal(sim: Simulator) -> None:
    clock = real_time_standing_still()
    async with open_brokerage(sim, clock) as brokerage:
        session = await brokerage.session(tenant())
        sim.faults.add(Fault(kind="status", path="/oauth/token", status=502))
        await clock.advance(601)
        await until(lambda: brokerage.statistics().failed_renewals == 1)

        assert await session.connection.get(ME)


async def test_an_idle_session_is_evicted_and_a_held_one_is_not(sim: Simulator) -> None:
    clock = real_time_standing_still()
    async with open_brokerage(sim, clock, session_idle_s=1000) as brokerage:
        await brokerage.session(tenant("idle"))
        held = await brokerage.session(tenant("held"))
        with held.hold():
            for _ in range(5):
                await clock.advance(300)
                await until(lambda: clock.sleeping)  # the keeper has made its round

        assert brokerage.statistics().evicted == 1

        assert await brokerage.session(tenant("held")) is held
        assert sim.oauth.statistics().granted >= 2


async def test_new_credentials_end_the_session_and_spare_calls_on_their_way(
    sim: Simulator,
) -> None:
    async with open_brokerage(sim) as brokerage:
        old = await brokerage.session(tenant(generation=1))
        sim.faults.add(Fault(kind="slow", path=ME, delay=timedelta(seconds=0.1)))
        on_its_way = asyncio.create_task(old.connection.get(ME))
        await until(lambda: sim.faults.statistics().fired.get("slow") == 1)

        new = await brokerage.session(tenant(generation=2))
        assert new is not old
        assert (await on_its_way)["id"]
        with pytest.raises(BrokerUnavailable, match="ended"):
            await old.connection.get(ME)


async def test_leaving_ends_every_session(sim: Simulator) -> None:
    async with open_brokerage(sim) as brokerage:
        session = await brokerage.session(tenant())

    with pytest.raises(BrokerUnavailable):
        await session.connection.get(ME)

    with pytest.raises(ShuttingDown):
        await brokerage.session(tenant())


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(kind="status", path=ME, status=400, code="bad", message="no"), RefusedByBroker),
        (Fault(kind="status", path=ME, status=403, code="not_permitted"), ForbiddenByBroker),
        (Fault(kind="status", path=ME, status=404, code="not_found"), NotKnownToBroker),
        (Fault(kind="status", path=ME, status=406, code="406"), BrokerUnreadable),
        (Fault(kind="status", path=ME, status=422, code="bad", message="no"), RefusedByBroker),
        (Fault(kind="rate-limit", path=ME, count=2), BrokerThrottled),
        (Fault(kind="status", path=ME, status=500), BrokerUnavailable),
        (Fault(kind="html", path=ME, status=502), BrokerUnavailable),
        (Fault(kind="html", path=ME, status=403), BrokerUnreadable),
        (Fault(kind="html", path=ME, status=200), BrokerUnreadable),
        (Fault(kind="status", path=ME, status=504), BrokerTimeout),
        (Fault(kind="hang", path=ME), BrokerTimeout),
        (Fault(kind="reset", path=ME), BrokerUnavailable),
        (Fault(kind="cut-answer", path=ME), BrokerUnavailable),
    ],
    ids=lambda value: value.kind + str(value.status or "") if isinstance(value, Fault) else "",
)
async def test_each_failure_of_the_broker_is_one_of_ours(
    sim: Simulator, fault: Fault, expected: type[GatewayError]
) -> None:
    async with open_brokerage(sim, broker_timeout_s=0.3) as brokerage:
        session = await brokerage.session(tenant())
        sim.faults.add(fault)
        with pytest.raises(expected) as raised:
            await session.connection.get(ME)

        assert type(raised.value) is expected
        assert "<html" not in str(raised.value)
        # The session survives: the next call is served.
        assert await session.connection.get(ME)


async def test_a_user_without_market_data_is_told_so(sim: Simulator) -> None:
    async with open_brokerage(sim) as brokerage:
        session = await brokerage.session(tenant("not-a-customer"))
        with pytest.raises(NotACustomer):
            await session.connection.get("/api-quote-tokens")


async def test_a_broker_that_is_not_there_is_unavailable(sim: Simulator) -> None:
    async with open_brokerage(sim) as brokerage:
        session = await brokerage.session(tenant())
        await sim.__aexit__(None, None, None)
        with pytest.raises(BrokerUnavailable):
            await session.connection.get(ME)


async def test_login_trouble_that_may_pass_is_tried_again(sim: Simulator) -> None:
    async with open_brokerage(sim) as brokerage:
        sim.faults.add(Fault(kind="status", path="/oauth/token", status=503))
        with pytest.raises(BrokerUnavailable):
            await brokerage.session(tenant())

        assert await brokerage.session(tenant())


async def until(true: Callable[[], object]) -> None:
    """Returns once `true()` holds, which other tasks and real sockets bring about."""
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - statistics have no event to wait for
            await asyncio.sleep(0)
