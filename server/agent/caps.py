"""Caps of what the agent may trade: by order, by day, by hour. No model is involved.

They are counted per tenant and in this process; the risk switches of the order desk, which count
everybody's orders and survive a restart, hold besides.
"""

from __future__ import annotations

__all__ = ["Caps", "Reservation"]

from collections import deque
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from server.clock import Clock, new_york_today
from server.errors import OverChatDayCap, OverChatOrderCap, TooManyChatOrders
from server.settings import Settings

HOUR_S = 3600.0


@dataclass(slots=True)
class _Used:
    day: date
    notional: Decimal = Decimal(0)
    times: deque[float] = field(default_factory=deque)


class Caps:
    """What each tenant's agent has used; reserving and giving back never waits."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._used: dict[str, _Used] = {}

    def check(self, tenant_id: str, notional: Decimal) -> None:
        """Raises what `reserve` would raise."""
        used = self._of(tenant_id)
        settings = self._settings
        if notional > settings.chat_order_cap:
            raise OverChatOrderCap(
                notional=f"{notional:.2f}", allowed=f"{settings.chat_order_cap:f}"
            )

        if used.notional + notional > settings.chat_day_cap:
            raise OverChatDayCap(
                notional=f"{notional:.2f}",
                used=f"{used.notional:.2f}",
                allowed=f"{settings.chat_day_cap:f}",
            )

        if len(used.times) >= settings.chat_orders_per_hour:
            raise TooManyChatOrders(allowed=settings.chat_orders_per_hour)

    def reserve(self, tenant_id: str, notional: Decimal) -> Reservation:
        """Counts an order before it is sent, so that orders side by side cannot pass together.

        It stays counted unless it is given back: an order whose outcome nobody knows may have
        traded.
        """
        self.check(tenant_id, notional)
        return Reservation(self._of(tenant_id), notional, self._clock.monotonic())

    def _of(self, tenant_id: str) -> _Used:
        today = new_york_today(self._clock)
        used = self._used.get(tenant_id)
        if used is None:
            used = self._used[tenant_id] = _Used(today)

        if used.day != today:
            used.day, used.notional = today, Decimal(0)

        hour_ago = self._clock.monotonic() - HOUR_S
        while used.times and used.times[0] <= hour_ago:
            used.times.popleft()

        return used


class Reservation:
    """A place under the caps."""

    def __init__(self, used: _Used, notional: Decimal, moment: float) -> None:
        self._used = used
        self._notional = notional
        self._moment = moment
        self._day = used.day
        used.notional += notional
        used.times.append(moment)

    def give_back(self) -> None:
        """Frees the place of an order that certainly was not placed."""
        if self._used.day == self._day:  # at midnight the count begins anew, without it
            self._used.notional -= self._notional

        if self._moment in self._used.times:
            self._used.times.remove(self._moment)
