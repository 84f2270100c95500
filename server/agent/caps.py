"""Caps of what models may trade: by order, by day, by hour. No model is involved.

They hold for this server's own agent and for models that call it over MCP. What opens a position
and what closes one is counted apart, each under the same amounts; every order counts in the hour.
All of it is counted per tenant and per account, so that a new key of the same account does not
begin anew, and in this process; the risk switches of the order desk, which count everybody's orders
and survive a restart, hold besides.
"""

from __future__ import annotations

__all__ = ["Caps", "Reservation"]

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from server.clock import Clock, new_york_today
from server.errors import OverChatDayCap, OverChatOrderCap, TooManyChatOrders
from server.settings import Settings

HOUR_S = 3600.0
ZERO = Decimal(0)

SWEEP_AT = 4096
"""How many tenants and accounts are known before the idle ones are forgotten."""


@dataclass(slots=True)
class _Used:
    day: date
    opened: Decimal = ZERO
    closed: Decimal = ZERO
    times: deque[float] = field(default_factory=deque)


class Caps:
    """What the models of each tenant and account have used; nothing here ever waits."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._used: dict[str, _Used] = {}

    def check(
        self,
        tenant_id: str,
        notional: Decimal,
        *,
        closing: Decimal = ZERO,
        account_id: str = "",
        orders: int = 1,
    ) -> None:
        """Raises what `reserve` would raise."""
        for used in self._of(tenant_id, account_id):
            self._check_amount(notional, used.opened)
            self._check_amount(closing, used.closed)
            if len(used.times) + orders > self._settings.chat_orders_per_hour:
                raise TooManyChatOrders(allowed=self._settings.chat_orders_per_hour)

    def reserve(
        self,
        tenant_id: str,
        notional: Decimal,
        *,
        closing: Decimal = ZERO,
        account_id: str = "",
        orders: int = 1,
    ) -> Reservation:
        """Counts an order before it is sent, so that orders side by side cannot pass together.

        `closing` is what it closes, `orders` of how many it consists. It stays counted unless it is
        given back: an order whose outcome nobody knows may have traded.
        """
        self.check(tenant_id, notional, closing=closing, account_id=account_id, orders=orders)
        return self._count(tenant_id, account_id, notional, closing, orders)

    def note(self, tenant_id: str, account_id: str = "") -> Reservation:
        """Counts an order in the hour that no cap holds back, since a person has confirmed it."""
        return self._count(tenant_id, account_id, ZERO, ZERO, 1)

    def _count(
        self,
        tenant_id: str,
        account_id: str,
        notional: Decimal,
        closing: Decimal,
        orders: int,
    ) -> Reservation:
        used = self._of(tenant_id, account_id)
        return Reservation(used, notional, closing, [self._clock.monotonic()] * orders)

    def _check_amount(self, amount: Decimal, used: Decimal) -> None:
        settings = self._settings
        if amount > settings.chat_order_cap:
            raise OverChatOrderCap(notional=f"{amount:.2f}", allowed=f"{settings.chat_order_cap:f}")

        if amount and used + amount > settings.chat_day_cap:
            raise OverChatDayCap(
                notional=f"{amount:.2f}",
                used=f"{used:.2f}",
                allowed=f"{settings.chat_day_cap:f}",
            )

    def _of(self, tenant_id: str, account_id: str) -> Sequence[_Used]:
        if len(self._used) >= SWEEP_AT:
            self._sweep()

        names = [f"tenant {tenant_id}"] + ([f"account {account_id}"] if account_id else [])
        return [self._fresh(name) for name in names]

    def _fresh(self, name: str) -> _Used:
        today = new_york_today(self._clock)
        used = self._used.get(name)
        if used is None:
            used = self._used[name] = _Used(today)

        if used.day != today:
            used.day, used.opened, used.closed = today, ZERO, ZERO

        hour_ago = self._clock.monotonic() - HOUR_S
        while used.times and used.times[0] <= hour_ago:
            used.times.popleft()

        return used

    def _sweep(self) -> None:
        """Forgets those who have used nothing today."""
        for name in list(self._used):
            used = self._fresh(name)
            if not (used.opened or used.closed or used.times):
                del self._used[name]


class Reservation:
    """A place under the caps."""

    def __init__(
        self,
        used: Sequence[_Used],
        notional: Decimal,
        closing: Decimal,
        moments: Sequence[float],
    ) -> None:
        self._used = [(each, each.day) for each in used]
        self._notional = notional
        self._closing = closing
        self._moments = moments
        for each in used:
            each.opened += notional
            each.closed += closing
            each.times.extend(moments)

    def give_back(self) -> None:
        """Frees the place of an order that certainly was not placed."""
        for used, day in self._used:
            if used.day == day:  # at midnight the count begins anew, without it
                used.opened -= self._notional
                used.closed -= self._closing

            for moment in self._moments:
                if moment in used.times:
                    used.times.remove(moment)

        self._used = []
