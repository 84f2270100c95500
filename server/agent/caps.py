"""Caps of what the agent may trade: by order, by day, by hour. No model is involved.

They are counted per tenant and in this process; the risk switches of the order desk, which count
everybody's orders and survive a restart, hold besides.
"""

from __future__ import annotations

__all__ = ["Caps", "Reservation", "notional_of"]

from collections import deque
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from tasty.v1 import order_pb2
from tasty.v1.order_placement_pb2 import PlaceOrderResponse

from server.clock import Clock, new_york_today
from server.errors import OverChatDayCap, OverChatOrderCap, TooManyChatOrders
from server.settings import Settings

HOUR_S = 3600.0
MULTIPLIERS = {
    "Equity": Decimal(1),
    "Cryptocurrency": Decimal(1),
    "Equity Option": Decimal(100),
}
"""Of others the contract does not tell it; the broker's buying-power effect counts for them."""


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
        used.notional += notional
        used.times.append(moment)

    def give_back(self) -> None:
        """Frees the place of an order that certainly was not placed."""
        self._used.notional -= self._notional
        if self._moment in self._used.times:
            self._used.times.remove(self._moment)


def notional_of(receipt: PlaceOrderResponse) -> Decimal | None:
    """Returns what an order commits, in dollars: None where nothing that the broker said tells it.

    Opening legs count, each by the order's own price where it is the only one, else by its mid; at
    least what the order takes of the buying power counts. Closing legs count nothing: a cap must
    not keep anybody from getting out.
    """
    if receipt.order.HasField("value"):
        return abs(Decimal(receipt.order.value))

    opening = [leg for leg in receipt.order.legs if not leg.action.endswith("Close")]
    if receipt.HasField("order") and receipt.order.legs and not opening:
        return Decimal(0)

    legs = _legs(receipt, opening)
    taken = _taken(receipt)
    known = [each for each in (legs, taken) if each is not None]
    return max(known) if known else None


def _legs(receipt: PlaceOrderResponse, opening: list[order_pb2.OrderLeg]) -> Decimal | None:
    if not opening:
        return None

    mids = {
        quote.symbol: (Decimal(quote.bid_price) + Decimal(quote.ask_price)) / 2
        for quote in receipt.pricing.quotes
        if quote.HasField("bid_price") and quote.HasField("ask_price")
    }
    total = Decimal(0)
    for leg in opening:
        single = len(receipt.order.legs) == 1 and receipt.HasField("price")
        price = abs(Decimal(receipt.price)) if single else mids.get(leg.symbol)
        multiplier = MULTIPLIERS.get(leg.instrument_type)
        if price is None or multiplier is None:
            return None

        total += Decimal(str(leg.quantity)) * multiplier * price

    return total


def _taken(receipt: PlaceOrderResponse) -> Decimal | None:
    change = receipt.buying_power_effect.change_in_buying_power
    return max(-Decimal(change), Decimal(0)) if change else None
