"""Subscribes to one tenant's accounts at the broker over one connection, and fills its gaps.

It subscribes first and reads second: a change during the reading comes as a notification too, and
the log takes each state once, whichever way it comes first.
"""

from __future__ import annotations

__all__ = ["AccountSubscription", "AccountSubscriptionStatistics"]

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import structlog

from server.brokerage import Brokerage, BrokerSession
from server.brokerage.api.accounts import Account
from server.brokerage.streaming.alert import Alert
from server.brokerage.streaming.dxlink_events import ConnectionEnded
from server.clock import Clock
from server.errors import AccountNotFound, GatewayError, GrantRevoked, InvalidApiKey
from server.orders.events.backfill import backfill_states
from server.orders.events.log import EventLog
from server.orders.events.object_states import ObjectState, state_of_alert
from server.streams.backoff import Backoff
from server.tenants import Tenant

log = structlog.get_logger(__name__)

BACKLOG = 50_000
"""Notifications that may wait for the store; beyond, reconnecting and asking costs less."""

FINAL = (GrantRevoked, InvalidApiKey)
"""Failures that no reconnect mends: only new credentials do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSubscriptionStatistics:
    live: bool
    connects: int
    alerts: int
    waiting: int


class AccountSubscription:
    """Writes what happens in a tenant's accounts to the log, until cancelled.

    `appended` is called with an account and the number of its newest event, and with None when the
    connection came or went.
    """

    def __init__(
        self,
        tenant: Tenant,
        brokerage: Brokerage,
        events: EventLog,
        clock: Clock,
        random: Random,
        appended: Callable[[str | None, int], None],
        seen: Callable[[ObjectState], None] = lambda _state: None,
    ) -> None:
        self.tenant = tenant
        self._brokerage = brokerage
        self._events = events
        self._clock = clock
        self._backoff = Backoff(random)
        self._appended = appended
        self._seen = seen
        self._waiting: deque[Alert] = deque()
        self._arrived = asyncio.Event()
        self.ready = asyncio.Event()
        """Set once the accounts were checked for the first time, or cannot be."""
        self.failure: GatewayError | None = None
        """Why nothing can be followed, while that is so."""
        self.live = False
        self.cause = ""
        """Why it is not live, in a few words."""
        self._connects = 0
        self._alerts = 0

    async def run(self) -> None:
        """Connects, and connects again; returns when only new credentials could help."""
        while True:
            at_once = False
            try:
                await self._connected()
            except ConnectionEnded as ended:
                self.cause, at_once = ended.cause, ended.at_once
            except FINAL as refusal:
                self.failure = refusal
                self._set_live(False)
                self.ready.set()
                return
            except GatewayError as failure:
                self.cause, self.failure = str(failure), failure
                self.ready.set()
            except Exception:
                # The next connection begins with a fresh backfill.
                log.exception("account follower failed", tenant=self.tenant.id[:12])
                self.cause = "an error of this server"

            self._set_live(False)
            pause = self._backoff.next_pause(at_once=at_once)
            log.info("account streamer ended", tenant=self.tenant.id[:12], cause=self.cause)
            await self._clock.sleep(pause)

    def statistics(self) -> AccountSubscriptionStatistics:
        return AccountSubscriptionStatistics(
            live=self.live,
            connects=self._connects,
            alerts=self._alerts,
            waiting=len(self._waiting),
        )

    async def _connected(self) -> None:
        session = await self._brokerage.session(self.tenant)
        accounts = await session.accounts()
        if not accounts:
            raise AccountNotFound("", [])

        # The session has imported the SDK by now; at the top this import would cost every start.
        from server.brokerage.streaming.alerts import AlertConnection

        self._waiting.clear()
        numbers = [account.number for account in accounts]
        with session.hold():
            async with AlertConnection(session.sdk, numbers, self._take, self._clock):
                self._connects += 1
                await self._backfill(session, accounts)
                self.failure = None
                self._set_live(True)
                self.ready.set()
                self._backoff.reset()
                await self._pump(session)

    def _take(self, alert: Alert) -> None:
        self._alerts += 1
        self._waiting.append(alert)
        self._arrived.set()

    async def _backfill(self, session: BrokerSession, accounts: Sequence[Account]) -> None:
        for account in accounts:
            known = await self._events.known(account.number)
            states = await backfill_states(session, account, known, self._events, self._clock)
            newest = await self._events.append(
                account.number, states, recovered=True, silent=known.is_new, checked=True
            )
            self._appended(account.number, newest)

    async def _pump(self, session: BrokerSession) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            if len(self._waiting) > BACKLOG:
                raise ConnectionEnded("the store is too slow for the notifications")

            alerts = [self._waiting.popleft() for _ in range(len(self._waiting))]
            states = [state_of_alert(alert, session.faults) for alert in alerts]
            by_account: dict[str, list[ObjectState]] = {}
            for state in states:
                if state is not None:
                    self._seen(state)
                    by_account.setdefault(state.account_number, []).append(state)

            for number, its_states in by_account.items():
                newest = await self._events.append(number, its_states, checked=True)
                self._appended(number, newest)

    def _set_live(self, live: bool) -> None:
        if live != self.live:
            self.live = live
            self._appended(None, 0)
