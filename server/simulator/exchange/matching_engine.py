"""Advances orders through their life and executes them; one `step` does all that is due.

The result depends only on the clock, the market and the order of arrival. An order is stamped with
the instant at which its step was due, not with the instant at which the step was taken.
"""

from __future__ import annotations

__all__ = ["MatchingEngine", "MatchingStatistics"]

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from server.simulator.exchange.clock import Clock
from server.simulator.exchange.contracts import Venue
from server.simulator.exchange.executions import Executions
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.matching import Execution, is_triggered, match_order
from server.simulator.exchange.money import ZERO
from server.simulator.exchange.notifier import Notifier
from server.simulator.exchange.orders import Order
from server.simulator.exchange.registry import Registry
from server.simulator.exchange.settings import ExchangeSettings
from server.simulator.exchange.vocabulary import (
    CLOSING,
    Status,
    TimeInForce,
)

HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingStatistics:
    """Counts working orders, executions and rejections."""

    working: int
    executions: int
    rejected: int


class MatchingEngine:
    """Advances every working order when asked to."""

    def __init__(
        self,
        registry: Registry,
        venue: Venue,
        clock: Clock,
        notifier: Notifier,
        settings: ExchangeSettings,
        on_end: Callable[[Order, datetime], None],
        on_first_fill: Callable[[Order, datetime], None],
    ) -> None:
        self._registry = registry
        self._venue = venue
        self._clock = clock
        self._notifier = notifier
        self._settings = settings
        self._on_end = on_end
        self._on_first_fill = on_first_fill
        self._executions = Executions(registry, notifier, settings.leg_gap)
        self._rejected = 0

    def step(self) -> None:
        """Carries out everything that is due at the clock's time."""
        now = self._clock.now()
        marks = Marks(self._venue)
        self._executions.book_due(now)
        marks.load(leg.contract for order in self._find_matchable(now) for leg in order.legs)
        for order in list(self._registry.working.values()):
            self._advance(order, now)
            if order.status.at_the_exchange:
                self._match(order, marks, now)

        self._executions.book_due(now)

    def next_due(self) -> datetime | None:
        """Returns when the next step has work; None while no order is working."""
        now = self._clock.now()
        moments = list(self._executions.due_times())
        for order in self._registry.working.values():
            moments += [at for at in (order.due, order.expires_at) if at is not None]
            if order.status.at_the_exchange or order.status is Status.RECEIVED:
                moments.append(max(order.ready_at or now, now + self._settings.match_every))

        return min(moments, default=None)

    def statistics(self) -> MatchingStatistics:
        return MatchingStatistics(
            working=len(self._registry.working),
            executions=self._executions.count,
            rejected=self._rejected,
        )

    def route(self, order: Order, at: datetime) -> None:
        """Sends an order to the exchange: Routed, or Received until the market opens."""
        opened = all(self._venue.is_open(leg.contract) for leg in order.legs)
        if opened:
            order.set_status(Status.ROUTED, at)
            order.due = at + self._settings.routing
        elif order.status is not Status.RECEIVED:
            order.set_status(Status.RECEIVED, at)

        self._notifier.publish_order(order)

    def backdate(self, order: Order, since: datetime) -> None:
        """Makes a routed order live since an instant in the past."""
        if order.status is not Status.ROUTED:
            return

        order.received_at = order.updated_at = since
        self._advance_stage(order, since + self._settings.routing)
        self._advance_stage(order, since + self._settings.routing + self._settings.flight)

    def end(self, order: Order, status: Status, at: datetime, reason: str | None = None) -> None:
        """Moves an order to a terminal status and notifies everything that depends on it."""
        order.reject_reason = reason
        order.set_status(status, at)
        self._registry.reserve(order, ZERO)
        self._registry.working.pop(order.id, None)
        if status is Status.REJECTED:
            self._rejected += 1

        self._notifier.publish_order(order)
        self._on_end(order, at)

    def fill(self, order: Order, execution: Execution, at: datetime) -> None:
        """Executes some units of an order, regardless of the market."""
        first_fill = not order.has_fills
        self._executions.execute(order, execution, at)
        if first_fill:
            self._on_first_fill(order, at)

        if order.status.terminal:
            self._on_end(order, at)

    def _find_matchable(self, now: datetime) -> Iterator[Order]:
        for order in self._registry.working.values():
            if order.ready_at is not None and order.ready_at <= now:
                yield order

    def _advance(self, order: Order, now: datetime) -> None:
        self._expire(order, now)
        while not order.status.terminal and order.due is not None and order.due <= now:
            self._advance_stage(order, order.due)

        if order.status is Status.RECEIVED and all(
            self._venue.is_open(leg.contract) for leg in order.legs
        ):
            self.route(order, now)

    def _expire(self, order: Order, now: datetime) -> None:
        ends = [leg.contract.expires_at for leg in order.legs]
        ends.append(order.expires_at)
        reached = [end for end in ends if end is not None and end <= now]
        if reached and not order.status.terminal:
            self.end(order, Status.EXPIRED, min(reached))

    def _advance_stage(self, order: Order, at: datetime) -> None:
        match order.status:
            case Status.ROUTED:
                order.set_status(Status.IN_FLIGHT, at)
                order.exchange_number = 10_000_000 + order.id
                order.client_order_id = f"SIM{order.id:015X}"
                order.due = at + self._settings.flight
                self._notifier.publish_order(order)
            case Status.IN_FLIGHT:
                self._reach_exchange(order, at)
            case Status.CANCEL_REQUESTED:
                self.end(order, Status.CANCELLED, at)
            case Status.REPLACE_REQUESTED:
                self._replace(order, at)
            case _:
                order.due = None

    def _reach_exchange(self, order: Order, at: datetime) -> None:
        script = order.ticket.script
        if script.behaviour == "reject":
            self.end(order, Status.REJECTED, at, script.reason)
        elif (off := _find_off_tick_price(order)) is not None:
            self.end(order, Status.REJECTED, at, f"Illegal price increment: {off}")
        else:
            order.set_status(Status.LIVE, at)
            order.ready_at = _first_match_time(order, at, self._settings.first_match)
            self._notifier.publish_order(order)

    def _replace(self, old: Order, at: datetime) -> None:
        new = self._registry.orders[old.replacing] if old.replacing else None
        slipped = old.open_units < old.units_at_replace
        if new is None or new.status.terminal or slipped:
            self.abort_replace(old, at)
            return

        self.end(old, Status.CANCELLED, at)
        self.route(new, at)

    def abort_replace(self, old: Order, at: datetime) -> None:
        """Aborts a replacement because a fill, or a cancel of the new order, came first."""
        new = self._registry.orders.get(old.replacing or 0)
        if new is not None and not new.status.terminal:
            self.end(new, Status.REJECTED, at, "Order was filled before it could be replaced")

        if not old.status.terminal:
            old.set_status(Status.LIVE, at)
            old.edited, old.replacing = False, None
            self._notifier.publish_order(old)

    def _match(self, order: Order, marks: Marks, now: datetime) -> None:
        if order.ready_at is None or now < order.ready_at:
            return

        if not all(self._venue.is_open(leg.contract) for leg in order.legs):
            return

        order.ready_at = now + self._settings.match_every
        execution = self._find_execution(order, marks, now)
        if execution is not None and self._check_closing(order, now):
            self.fill(order, execution, now)

        if order.ticket.time_in_force is TimeInForce.IOC and not order.status.terminal:
            self.end(order, Status.CANCELLED, now)

    def _find_execution(self, order: Order, marks: Marks, now: datetime) -> Execution | None:
        script = order.ticket.script
        if script.behaviour == "never":
            return None

        tops = [marks.top(leg.contract) for leg in order.legs]
        if order.type.has_trigger and not order.triggered:
            if not is_triggered(order, tops):
                return None

            order.triggered = True

        waited = now - (order.live_at or now)
        execution = match_order(
            order,
            tops,
            patient=waited >= self._settings.patience,
            depth=self._settings.depth,
        )
        if script.behaviour == "immediate" or execution is None:
            return execution

        units = order.open_units
        if script.behaviour == "partial" and not order.has_fills and units > 1:
            order.ready_at = now + script.delay
            return replace(execution, units=(units * HALF).to_integral_value())

        return replace(execution, units=units or execution.units)

    def _check_closing(self, order: Order, now: datetime) -> bool:
        # Another order may have closed the position since this one was checked.
        if not order.ticket.strict:
            return True

        account = self._registry.accounts[order.account_number]
        for leg in order.legs:
            held = account.held(leg.contract.symbol)
            if leg.action in CLOSING and (held * leg.action.side >= 0 or abs(held) < leg.remaining):
                self.end(
                    order, Status.REJECTED, now, "Closing order exceeds the position that is left"
                )
                return False

        return True


def _first_match_time(order: Order, at: datetime, first_match: timedelta) -> datetime:
    script = order.ticket.script
    match script.behaviour:
        case "delayed":
            return at + script.delay
        case "scheduled" if script.schedule is not None:
            return max(at, script.schedule)
        case _:
            return at + first_match


def _find_off_tick_price(order: Order) -> Decimal | None:
    # A spread is checked by its net price only, on the smallest tick of its legs.
    for price in (order.ticket.price, order.ticket.stop_trigger):
        if price is None:
            continue

        size = abs(price)
        tick = min(leg.contract.tick_at(size) for leg in order.legs)
        if size % tick:
            return size

    return None
