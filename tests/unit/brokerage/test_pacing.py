"""Requests leave no faster than the broker allows, in order, and never too late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio

from server.brokerage.transport.pacing import Customers, Pacer, kind_of
from server.brokerage.transport.turns import Turns
from server.errors import CustomerPaceUsedUp
from server.secret import Secret
from server.tenants import Credentials
from tests.clock import ManualClock, settle

BALANCES = "/accounts/5WT00001/balances/USD"
CHAIN = "/option-chains/SPY/nested"


def credentials(token: str) -> Credentials:
    return Credentials(client_secret=Secret("secret"), refresh_token=Secret(token), generation=1)


@dataclass
class Broker:
    """Makes pacers of sessions, as the brokerage does."""

    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.customers = Customers(self.clock)
        self.turns = Turns(self.clock, timedelta(seconds=10))

    def pacer(self, grant: str = "a", *, on: bool = True) -> Pacer:
        return Pacer(self.clock, self.turns, self.customers, credentials(grant), on=on)


@pytest_asyncio.fixture
async def broker() -> AsyncIterator[Broker]:
    made = Broker()
    running = asyncio.create_task(made.turns.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_one_a_second_goes_one_a_second(broker: Broker) -> None:
    paced = broker.pacer()
    left: list[float] = []

    async def request() -> None:
        await paced.turn(BALANCES)
        left.append(broker.clock.monotonic() - 1000)

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(request())

        await broker.clock.advance(5)

    gaps = [later - earlier for earlier, later in pairwise(left)]
    assert len(left) == 4
    assert all(1 <= gap < 1.12 for gap in gaps)
    assert paced.waited == 3


async def test_a_seconds_worth_may_go_at_once(broker: Broker) -> None:
    paced = broker.pacer()
    await paced.turn(CHAIN)
    await paced.turn(CHAIN)
    assert paced.waited == 0

    third = asyncio.create_task(paced.turn(CHAIN))
    await settle()
    assert not third.done()
    await broker.clock.advance(0.51)
    assert not third.done()
    await broker.clock.advance(0.03)
    assert third.done()


async def test_kinds_do_not_wait_for_each_other(broker: Broker) -> None:
    paced = broker.pacer()
    for path in (BALANCES, "/accounts/A/positions", CHAIN, "/instruments/equities/SPY", "/x"):
        await paced.turn(path)

    waiting = asyncio.create_task(paced.turn(BALANCES))
    await settle()
    for path in (CHAIN, "/instruments/equities/SPY", "/x"):
        async with asyncio.timeout(1):
            await paced.turn(path)

    assert not waiting.done()
    waiting.cancel()
    await settle()


async def test_a_turn_beyond_the_longest_wait_fails_at_once(broker: Broker) -> None:
    paced = broker.pacer()
    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(paced.turn(BALANCES))

        await settle()
        with pytest.raises(CustomerPaceUsedUp, match=r"9 requests of this customer.* 10.5 s"):
            await paced.turn(BALANCES)

        await broker.clock.advance(12)


async def test_all_tenants_share_the_overall_pace(broker: Broker) -> None:
    one, two = broker.pacer("a"), broker.pacer("b")
    for _ in range(25):
        await one.turn("/x")
        await two.turn("/x")

    assert one.waited + two.waited == 0
    next_one = asyncio.create_task(one.turn("/x"))
    await settle()
    assert not next_one.done()
    await broker.clock.advance(0.022)
    assert next_one.done()


async def test_after_a_429_its_kind_is_left_alone_and_the_others_go_on(broker: Broker) -> None:
    paced, other = broker.pacer("a"), broker.pacer("b")
    await paced.back_off(BALANCES)
    await paced.turn(CHAIN)
    await other.turn(BALANCES)
    again = asyncio.create_task(paced.turn(BALANCES))
    await settle()
    assert not again.done()
    await broker.clock.advance(1)
    assert again.done()


@pytest.mark.parametrize(("on", "path"), [(False, BALANCES), (True, "/x")])
async def test_what_has_no_pace_of_its_own_pauses_too(broker: Broker, on: bool, path: str) -> None:
    backing_off = asyncio.create_task(broker.pacer(on=on).back_off(path))
    await broker.clock.advance(0.9)
    assert not backing_off.done()
    await broker.clock.advance(0.1)
    assert backing_off.done()


async def test_switched_off_it_does_nothing(broker: Broker) -> None:
    paced = broker.pacer(on=False)
    for _ in range(1000):
        await paced.turn(BALANCES)

    assert broker.turns.statistics().taken == 0


async def test_keys_with_the_same_credentials_share_a_customers_pace(broker: Broker) -> None:
    first, second, stranger = broker.pacer("a"), broker.pacer("a"), broker.pacer("b")
    assert first.customer is second.customer
    await first.turn(BALANCES)
    await stranger.turn(BALANCES)
    waiting = asyncio.create_task(second.turn(BALANCES))
    await settle()
    assert not waiting.done()
    await broker.clock.advance(1.1)
    assert waiting.done()


async def test_grants_of_one_customer_are_known_by_their_accounts(broker: Broker) -> None:
    first, second, joint = broker.pacer("a"), broker.pacer("b"), broker.pacer("c")
    first.recognise(["5WT00001", "5WT00002"])
    second.recognise(["5WT00002", "5WT00001"])
    joint.recognise(["5WT00002"])
    assert first.customer is second.customer
    assert joint.customer is not first.customer
    # The next session with the same credentials is known before it has asked for its accounts.
    assert broker.pacer("b").customer is first.customer


async def test_who_has_no_accounts_stays_himself(broker: Broker) -> None:
    first, second = broker.pacer("a"), broker.pacer("b")
    first.recognise([])
    second.recognise([])
    assert first.customer is not second.customer


def test_credentials_are_told_apart_by_where_they_part() -> None:
    customers = Customers(ManualClock())
    pairs = [("ab", "c"), ("a", "bc"), ("", "abc")]
    found = [
        customers.of_credentials(
            Credentials(client_secret=Secret(one), refresh_token=Secret(two), generation=1)
        )
        for one, two in pairs
    ]
    assert len({mark for mark, _ in found}) == 3


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/oauth/token", "login"),
        ("/market-data/by-type", "market-data"),
        ("/market-time/sessions/current", "other"),
        ("/futures-option-chains/ES/nested", "option-chains"),
        ("/instruments/equities/SPY", "equity"),
        ("/instruments/equities", "equities"),
        ("/instruments/equities/active", "equities"),
        ("/customers/me/accounts", "accounts"),
        ("/accounts/5WT00001/orders/1", "other"),
    ],
)
def test_a_path_is_of_one_kind(path: str, kind: Any) -> None:
    assert kind_of(path).name == kind
