"""Shares the process's pace at the broker: urgent requests first, and customers by turns.

Each lane of `urgency.Lane` goes before the ones below it, but none is passed over for ever
(`PASSED_OVER`). Within a lane the customers take turns, however many requests and API keys each of
them has: who asks little is not held up by who asks much. Within a customer the oldest request goes
first; one whose kind of path is not due lets the others go by.
"""

from __future__ import annotations

__all__ = ["Turns", "TurnsStatistics"]

import asyncio
import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from server.brokerage.transport.pacing import INSTANT_S, KINDS, OVERALL, Customer, Kind, Pace
from server.brokerage.transport.turn_lines import Line, Waiter
from server.brokerage.transport.urgency import Lane, Urgency
from server.clock import Clock, wait_for_event
from server.errors import BrokerPaceUsedUp, CustomerPaceUsedUp, ShuttingDown

PASSED_OVER: Mapping[Lane, int] = {
    Lane.CANCEL: 0,
    Lane.ORDER: 3,
    Lane.READ: 5,
    Lane.BACKGROUND: 20,
}
"""How many turns may go to others while a lane waits: with all of them full, of 100 turns cancels
get 53, orders 25, reads 17 and the background 5. So nobody's cancels can stop anybody's logins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnsStatistics:
    """Who waits for the broker's pace at this moment, and what happened since the start."""

    waiting: int
    customers: int
    """How many customers those who wait belong to."""
    by_lane: Mapping[Lane, int]
    taken: int
    delayed: int
    refused: int
    """Requests that were refused because their turn would have come too late, or did."""


class Turns:
    """Hands out the turns; `run` must be running for anybody to get one that had to wait.

    Not thread-safe: everything happens on one event loop.
    """

    def __init__(self, clock: Clock, longest: timedelta, *, rate: float = OVERALL) -> None:
        self._clock = clock
        self._longest = longest.total_seconds()
        self._pace = Pace(rate, clock)
        self._lanes: dict[Lane, dict[Customer, Line]] = {lane: {} for lane in Lane}
        self._passed_over: Counter[Lane] = Counter()
        self._deadlines: list[tuple[float, int, Waiter]] = []
        self._waiting = 0
        self._numbers = count()
        self._changed = asyncio.Event()
        self._closed = False
        self._taken = self._delayed = self._refused = 0

    async def turn(self, customer: Customer, kind: Kind, urgency: Urgency) -> bool:
        """Returns when a request may leave, and whether it had to wait.

        Raises at once where its turn would come too late, and otherwise when it did not come in
        time: CustomerPaceUsedUp where the customer's own requests are the reason, else
        BrokerPaceUsedUp.
        """
        now = self._clock.monotonic()
        own = customer.pace(kind)
        due = self._pace.ready_at if own is None else max(self._pace.ready_at, own.ready_at)
        if not self._waiting and due <= now + INSTANT_S:
            self._take(customer, kind)
            return False

        deadline = self._deadline(urgency, now)
        wait, patience = self._wait_of(customer, kind, urgency.lane), deadline - now
        if wait > patience:
            self._refused += 1
            raise self._used_up(customer, kind, urgency.lane, wait, patience)

        await self._wait(customer, kind, urgency.lane, deadline)
        self._delayed += 1
        return True

    def hurry(self, customer: Customer, urgency: Urgency) -> None:
        """Moves the customer's requests that others wait for, too, to the lane of `urgency`.

        A cancel waits for the login that a page began: that login is as urgent as the cancel, and
        may take as long.
        """
        if not self._waiting:
            return

        deadline = self._deadline(urgency, self._clock.monotonic())
        shared = [kind.name for kind in KINDS if kind.shared]
        for lane in Lane:
            line = self._lanes[lane].get(customer)
            if line is None or lane < urgency.lane:
                continue

            for waiter in [each for name in shared for each in line.kinds.get(name, ())]:
                waiter.deadline = max(waiter.deadline, deadline)
                if lane == urgency.lane:
                    self._note_deadline(waiter)
                else:
                    self._remove(waiter)
                    waiter.lane = urgency.lane
                    self._add(waiter)

    async def run(self) -> None:
        """Gives turns as they come due, until cancelled; whoever still waits then is refused."""
        try:
            while True:
                self._changed.clear()
                await self._rest(self._give_due())
        finally:
            self._closed = True
            for waiter in list(self._everybody()):
                self._remove(waiter)
                if not waiter.came.done():
                    waiter.came.set_exception(ShuttingDown())

    def statistics(self) -> TurnsStatistics:
        waiting = {
            lane: sum(each.length for each in lines.values()) for lane, lines in self._lanes.items()
        }
        return TurnsStatistics(
            waiting=self._waiting,
            customers=len({each.customer for each in self._everybody()}),
            by_lane=waiting,
            taken=self._taken,
            delayed=self._delayed,
            refused=self._refused,
        )

    async def _wait(self, customer: Customer, kind: Kind, lane: Lane, deadline: float) -> None:
        if self._closed:
            raise ShuttingDown

        came = asyncio.get_running_loop().create_future()
        waiter = Waiter(customer, kind, lane, next(self._numbers), deadline, came)
        self._add(waiter)
        self._changed.set()
        try:
            await came
        except asyncio.CancelledError:
            if came.cancelled():
                self._remove(waiter)
            elif came.exception() is None:
                self._give_back(customer, kind)  # it came, and nobody was there any more

            raise

    def _give_due(self) -> float | None:
        """Gives what is due; returns the seconds after which to look again, if anybody waits."""
        while self._waiting:
            now = self._clock.monotonic()
            self._end_late(now)
            wait = self._pace.wait()
            waiter = self._chosen(now) if wait <= INSTANT_S else None
            if waiter is None:
                if wait <= INSTANT_S:
                    wait = max(INSTANT_S, self._first_ready_at() - now)

                return min(wait, self._until_late(now))

            self._remove(waiter)
            if waiter.came.done():
                continue  # cancelled a moment ago, and not gone yet

            self._to_the_end(waiter)
            self._take(waiter.customer, waiter.kind)
            waiter.came.set_result(None)

        return None

    def _chosen(self, now: float) -> Waiter | None:
        heads = [head for lane in Lane if (head := self._first_of(lane, now)) is not None]
        if not heads:
            return None

        passed = self._passed_over
        overdue = (each for each in heads[1:] if passed[each.lane] >= PASSED_OVER[each.lane])
        chosen = next(overdue, heads[0])
        passed.update(each.lane for each in heads)
        passed[chosen.lane] = 0
        return chosen

    def _first_of(self, lane: Lane, now: float) -> Waiter | None:
        heads = (line.first(now) for line in self._lanes[lane].values())
        return next((each for each in heads if each is not None), None)

    def _first_ready_at(self) -> float:
        lines = (line for lines in self._lanes.values() for line in lines.values())
        return min((line.ready_at() for line in lines), default=float("inf"))

    def _take(self, customer: Customer, kind: Kind) -> None:
        self._pace.take()
        own = customer.pace(kind)
        if own is not None:
            own.take()

        self._taken += 1

    def _give_back(self, customer: Customer, kind: Kind) -> None:
        self._pace.give_back()
        own = customer.pace(kind)
        if own is not None:
            own.give_back()

        self._taken -= 1
        self._changed.set()

    def _add(self, waiter: Waiter) -> None:
        self._lanes[waiter.lane].setdefault(waiter.customer, Line()).add(waiter)
        waiter.in_line = True
        self._waiting += 1
        self._note_deadline(waiter)

    def _note_deadline(self, waiter: Waiter) -> None:
        heapq.heappush(self._deadlines, (waiter.deadline, next(self._numbers), waiter))

    def _remove(self, waiter: Waiter) -> None:
        """Takes a waiter out of its line, if it still stands there."""
        if not waiter.in_line:
            return

        lane = self._lanes[waiter.lane]
        line = lane[waiter.customer]
        line.remove(waiter)
        if not line.length:
            del lane[waiter.customer]

        waiter.in_line = False
        self._waiting -= 1

    def _to_the_end(self, served: Waiter) -> None:
        """Lets all other customers of the lane have their turn before this one's next."""
        lane = self._lanes[served.lane]
        line = lane.pop(served.customer, None)
        if line is not None:
            lane[served.customer] = line

    def _end_late(self, now: float) -> None:
        """Refuses those whose time is over."""
        while self._deadlines and self._deadlines[0][0] <= now:
            _, _, waiter = heapq.heappop(self._deadlines)
            if waiter.in_line and not waiter.came.done() and waiter.deadline <= now:
                self._remove(waiter)
                self._refused += 1
                wait = self._wait_of(waiter.customer, waiter.kind, waiter.lane)
                patience = self._pace.gap  # one turn is nobody's own fault
                error = self._used_up(waiter.customer, waiter.kind, waiter.lane, wait, patience)
                waiter.came.set_exception(error)

    def _until_late(self, now: float) -> float:
        """Returns the seconds until the first of the deadlines."""
        return self._deadlines[0][0] - now if self._deadlines else float("inf")

    def _wait_of(self, customer: Customer, kind: Kind, lane: Lane) -> float:
        """Returns for how many seconds a request would wait that came now, if nobody came after."""
        lines = self._lanes[lane]
        own = lines[customer].length if customer in lines else 0
        # Round by round: of each other customer one request before each of this customer's.
        others = sum(min(line.length, own + 1) for line in lines.values()) - own
        before = own + others
        above = sum(
            line.length for each in Lane if each < lane for line in self._lanes[each].values()
        )
        turns = min(above + before, (before + 1) * (PASSED_OVER[lane] + 1) - 1)
        return max(self._pace.wait() + turns * self._pace.gap, self._own_wait(customer, kind, lane))

    def _own_wait(self, customer: Customer, kind: Kind, lane: Lane) -> float:
        """Returns for how many seconds the customer's own requests alone would make it wait."""
        lines = [self._lanes[each].get(customer) for each in Lane if each <= lane]
        ahead = [line for line in lines if line is not None]
        wait = self._pace.wait() + sum(line.length for line in ahead) * self._pace.gap
        pace = customer.pace(kind)
        if pace is None:
            return wait

        return max(wait, pace.wait() + pace.gap * sum(line.waiting_for(kind) for line in ahead))

    def _used_up(
        self, customer: Customer, kind: Kind, lane: Lane, wait: float, patience: float
    ) -> BrokerPaceUsedUp | CustomerPaceUsedUp:
        if self._own_wait(customer, kind, lane) > patience:
            lines = (lines.get(customer) for lines in self._lanes.values())
            waiting = sum(line.length for line in lines if line is not None)
            return CustomerPaceUsedUp(waiting=waiting, wait_s=wait)

        return BrokerPaceUsedUp(waiting=self._waiting, wait_s=wait)

    def _everybody(self) -> Iterator[Waiter]:
        for lines in self._lanes.values():
            for line in lines.values():
                for waiters in line.kinds.values():
                    yield from waiters

    def _deadline(self, urgency: Urgency, now: float) -> float:
        longest = now + self._longest
        until = urgency.until
        return longest if until is None or until <= now else min(longest, until)

    async def _rest(self, pause: float | None) -> None:
        """Returns after so many seconds, or as soon as anything has changed."""
        if pause is None:
            await self._changed.wait()
            return

        await wait_for_event(self._changed, timedelta(seconds=pause), self._clock)
