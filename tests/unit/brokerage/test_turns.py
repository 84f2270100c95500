"""The process's pace at the broker is shared by urgency and by customers, and nobody starves."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

import pytest
import pytest_asyncio

from server.brokerage.transport.pacing import CAUTION, Customer, kind_of
from server.brokerage.transport.turns import PASSED_OVER, Turns
from server.brokerage.transport.urgency import Lane, Urgency, current_urgency, urgent
from server.errors import (
    BrokerPaceUsedUp,
    CustomerPaceUsedUp,
    GatewayError,
    ShuttingDown,
)
from tests.clock import ManualClock, settle

RATE = 10.0
GAP = 1 / (RATE * CAUTION)
LOGIN, BALANCES = "/oauth/token", "/accounts/A/balances/USD"
CHAIN = "/option-chains/SPY/nested"


@dataclass
class Crowd:
    """Asks for turns in the name of customers, and writes down who went, in order."""

    clock: ManualClock = field(default_factory=ManualClock)
    went: list[tuple[str, Lane]] = field(default_factory=list)
    refused: list[tuple[str, GatewayError]] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.turns = Turns(self.clock, timedelta(seconds=10), rate=RATE)
        self.customers: dict[str, Customer] = {}

    def customer(self, name: str) -> Customer:
        return self.customers.setdefault(name, Customer(self.clock))

    def ask(
        self,
        name: str,
        lane: Lane = Lane.READ,
        times: int = 1,
        *,
        path: str = "/x",
        within: float | None = None,
    ) -> list[asyncio.Task[None]]:
        until = None if within is None else self.clock.monotonic() + within
        made = [
            asyncio.create_task(self._ask(name, Urgency(lane, until), path)) for _ in range(times)
        ]
        self.tasks += made
        return made

    async def _ask(self, name: str, urgency: Urgency, path: str) -> None:
        try:
            await self.turns.turn(self.customer(name), kind_of(path), urgency)
        except GatewayError as error:
            self.refused.append((name, error))
        else:
            self.went.append((name, urgency.lane))

    async def use_up(self) -> None:
        """Takes the second's worth that may go at once."""
        self.ask("nobody", times=int(RATE))
        await settle()
        self.went.clear()

    async def give(self, turns: int) -> list[str]:
        """Lets so many turns come, and returns who went."""
        before = len(self.went)
        await self.clock.advance(turns * GAP + GAP / 10)
        return [name for name, _ in self.went[before:]]


@pytest_asyncio.fixture
async def crowd() -> AsyncIterator[Crowd]:
    made = Crowd()
    running = asyncio.create_task(made.turns.run())
    await made.use_up()
    yield made
    running.cancel()
    for task in made.tasks:
        task.cancel()

    await asyncio.gather(running, *made.tasks, return_exceptions=True)
    assert made.turns.statistics().waiting == 0


async def test_customers_take_turns_however_much_each_of_them_asks(crowd: Crowd) -> None:
    crowd.ask("greedy", times=50)
    await settle()
    crowd.ask("honest", times=2)
    crowd.ask("other", times=2)
    await settle()
    assert await crowd.give(7) == [
        *("greedy", "honest", "other"),
        *("greedy", "honest", "other"),
        "greedy",
    ]


async def test_a_newcomer_waits_for_one_round_only(crowd: Crowd) -> None:
    crowd.ask("greedy", times=60)
    await crowd.give(30)
    crowd.ask("honest")
    assert "honest" in await crowd.give(2)


async def test_a_cancel_goes_next(crowd: Crowd) -> None:
    for number in range(20):
        crowd.ask(f"customer {number}", Lane.ORDER, times=2)
        crowd.ask(f"customer {number}", Lane.READ, times=2)

    await settle()
    crowd.ask("honest", Lane.CANCEL)
    await settle()
    assert await crowd.give(1) == ["honest"]


async def test_an_order_goes_before_reads(crowd: Crowd) -> None:
    crowd.ask("honest", Lane.READ, times=5)
    crowd.ask("greedy", Lane.READ, times=5)
    await settle()
    crowd.ask("honest", Lane.ORDER, times=3)
    await settle()
    assert await crowd.give(3) == ["honest"] * 3
    assert [lane for _, lane in crowd.went] == [Lane.ORDER] * 3


async def test_no_lane_starves_while_those_above_it_are_full(crowd: Crowd) -> None:
    for lane in Lane:
        crowd.ask(lane.name, lane, times=60)

    await settle()
    went = await crowd.give(84)
    shares = Counter(went)
    assert shares["CANCEL"] > shares["ORDER"] > shares["READ"] > shares["BACKGROUND"]
    for lane in Lane:
        # Never passed over more often than it says, give or take who else is overdue.
        places = [-1, *(place for place, name in enumerate(went) if name == lane.name)]
        gaps = [later - earlier for earlier, later in pairwise(places)]
        assert max(gaps) <= PASSED_OVER[lane] + len(Lane), lane


async def test_what_is_not_due_lets_others_go_by(crowd: Crowd) -> None:
    crowd.ask("honest", path=BALANCES, times=3)
    await settle()
    crowd.ask("honest", times=2)
    await settle()
    before = len(crowd.went)
    await crowd.clock.advance(4 * GAP)
    # One balance a second; the second and third of them keep nobody.
    assert len(crowd.went) - before == 3
    await crowd.clock.advance(2.2)
    assert len(crowd.went) - before == 5


async def test_within_a_customer_the_oldest_goes_first_whatever_its_kind(crowd: Crowd) -> None:
    paths = ("/x", CHAIN, LOGIN, "/x", LOGIN, CHAIN)
    tasks = []
    for path in paths:
        tasks += crowd.ask("honest", path=path)
        await settle()

    for place in range(len(paths)):
        assert [task.done() for task in tasks].count(True) == place
        await crowd.give(1)
        assert tasks[place].done()


async def test_a_more_urgent_request_of_a_kind_goes_before_a_page_that_asks_the_same(
    crowd: Crowd,
) -> None:
    crowd.ask("honest", Lane.READ, path=BALANCES, times=4)
    await crowd.give(1)
    crowd.ask("honest", Lane.ORDER, path=BALANCES)
    await settle()
    crowd.went.clear()
    await crowd.clock.advance(1.1)
    assert crowd.went == [("honest", Lane.ORDER)]


async def test_a_cancelled_wait_gives_its_turn_back(crowd: Crowd) -> None:
    gone = crowd.ask("honest", times=30)
    crowd.ask("other", times=3)
    await settle()
    for task in gone:
        task.cancel()

    await settle()
    assert crowd.turns.statistics().waiting == 3
    assert await crowd.give(3) == ["other"] * 3


async def test_a_turn_that_nobody_takes_any_more_is_given_back(crowd: Crowd) -> None:
    (gone,) = crowd.ask("honest", path=BALANCES)
    await settle()
    taken = crowd.turns.statistics().taken
    clock = crowd.clock
    clock._elapsed += 2 * GAP  # due, and the task that hands it out has not run yet
    crowd.turns._give_due()
    gone.cancel()
    await settle()
    assert crowd.went == []
    assert crowd.turns.statistics().taken == taken
    crowd.ask("honest", path=BALANCES)  # its second is not used up either
    await settle()
    assert [name for name, _ in crowd.went] == ["honest"]


async def test_a_hopeless_wait_is_refused_at_once_with_the_reason(crowd: Crowd) -> None:
    greedy = int(10 / GAP) + 10
    crowd.ask("greedy", times=greedy)
    await settle()
    assert {name for name, _ in crowd.refused} == {"greedy"}
    assert all(isinstance(error, CustomerPaceUsedUp) for _, error in crowd.refused)
    assert crowd.turns.statistics().waiting <= 10 / GAP + 1

    # Others are not refused for it.
    crowd.refused.clear()
    crowd.ask("honest")
    await settle()
    assert not crowd.refused
    assert "honest" in await crowd.give(2)


async def test_where_others_are_the_reason_it_says_that_it_is_ours(crowd: Crowd) -> None:
    for number in range(200):
        crowd.ask(f"customer {number}")

    await settle()
    assert crowd.refused
    name, error = crowd.refused[-1]
    assert isinstance(error, BrokerPaceUsedUp)
    assert "This gateway's share" in str(error)
    assert float(error.metadata["retry_after"]) > 10
    assert error.reason == "ERROR_REASON_BROKER_PACE_USED_UP"
    # An order and a cancel of the very same customer still go.
    crowd.refused.clear()
    crowd.ask(name, Lane.ORDER)
    crowd.ask(name, Lane.CANCEL)
    await settle()
    assert not crowd.refused
    assert await crowd.give(2) == [name, name]


async def test_a_flood_of_orders_does_not_make_reads_hopeless(crowd: Crowd) -> None:
    for number in range(50):
        crowd.ask(f"customer {number}", Lane.ORDER, times=2)

    await settle()
    crowd.refused.clear()
    crowd.ask("honest", Lane.READ, within=1.0)
    await settle()
    assert not crowd.refused
    assert "honest" in await crowd.give(PASSED_OVER[Lane.READ] + 1)


async def test_the_callers_own_patience_counts(crowd: Crowd) -> None:
    crowd.ask("greedy", times=40)
    await settle()
    crowd.ask("greedy", within=1.0)
    await settle()
    assert [name for name, _ in crowd.refused] == ["greedy"]


async def test_a_deadline_that_has_passed_binds_nobody(crowd: Crowd) -> None:
    crowd.ask("follower", within=-5.0)
    await settle()
    assert not crowd.refused
    assert await crowd.give(1) == ["follower"]


async def test_who_is_overtaken_until_his_time_is_over_is_refused_then(crowd: Crowd) -> None:
    crowd.ask("honest", Lane.BACKGROUND, within=1.0)
    crowd.ask("other", Lane.READ, times=5)
    for _ in range(12):
        await settle()
        crowd.ask("other", Lane.READ)
        await crowd.clock.advance(GAP)

    assert [(name, type(error)) for name, error in crowd.refused] == [("honest", BrokerPaceUsedUp)]


async def test_a_login_that_a_page_began_is_as_urgent_as_the_cancel_that_waits_for_it(
    crowd: Crowd,
) -> None:
    for number in range(30):
        crowd.ask(f"customer {number}", path=LOGIN)

    (login,) = crowd.ask("honest", path=LOGIN, within=0.2 + 31 * GAP)
    crowd.ask("honest", times=2)
    await settle()
    crowd.turns.hurry(crowd.customer("honest"), Urgency(Lane.CANCEL))
    await settle()
    await crowd.give(1)
    assert login.done()
    assert await crowd.give(2) == ["customer 0", "customer 1"]


async def test_those_who_wait_when_it_stops_are_told() -> None:
    crowd = Crowd()
    running = asyncio.create_task(crowd.turns.run())
    await crowd.use_up()
    crowd.ask("honest", times=2)
    await settle()
    running.cancel()
    await settle()
    crowd.ask("late")
    await settle()
    assert [type(error) for _, error in crowd.refused] == [ShuttingDown] * 3


async def test_statistics_tell_who_waits(crowd: Crowd) -> None:
    crowd.ask("one", times=3)
    crowd.ask("two", Lane.CANCEL)
    await settle()
    now = crowd.turns.statistics()
    assert (now.waiting, now.customers) == (4, 2)
    assert now.by_lane == {Lane.CANCEL: 1, Lane.ORDER: 0, Lane.READ: 3, Lane.BACKGROUND: 0}
    await crowd.give(4)
    then = crowd.turns.statistics()
    assert (then.waiting, then.delayed, then.taken - now.taken) == (0, 4, 4)


async def test_urgency_belongs_to_a_task_and_those_it_starts() -> None:
    async def seen() -> Lane:
        return current_urgency().lane

    with urgent(Lane.CANCEL, 5.0):
        assert current_urgency() == Urgency(Lane.CANCEL, 5.0)
        inner = asyncio.create_task(seen())
        with urgent(Lane.BACKGROUND):
            assert await seen() is Lane.BACKGROUND

    assert await seen() is Lane.READ
    assert await inner is Lane.CANCEL


@pytest.mark.parametrize("lane", list(Lane))
async def test_with_nobody_waiting_every_lane_goes_at_once(lane: Lane) -> None:
    crowd = Crowd()
    waited = await crowd.turns.turn(crowd.customer("one"), kind_of("/x"), Urgency(lane))
    assert not waited
