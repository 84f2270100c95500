"""Holds orders that a model decided to more than a person's: caps, and a price near the market.

A person's own order never comes here, and neither does a cancel, whoever asks for it.
"""

from __future__ import annotations

__all__ = ["ModelGuard"]

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from server.agent.caps import Caps, Reservation
from server.errors import (
    BadInput,
    MarketNotSeen,
    NotAllowed,
    NotCapped,
    NotFound,
    OrderNotRecorded,
    TooFarFromMarket,
)
from server.orders.placing.model_order_guard import Guard, Weighed
from server.orders.placing.order_preparer import Prepared
from server.rpc.call import Call, Origin
from server.settings import Settings

SMALLEST_DISTANCE = Decimal("0.05")
"""Dollars: of a cheap option the spread alone is a large part of the price."""


class ModelGuard:
    """Guards the orders of models."""

    def __init__(self, settings: Settings, caps: Caps) -> None:
        self._share = settings.chat_close_distance
        self._caps = caps

    @contextmanager
    def around(self, call: Call, account_id: str) -> Iterator[Guard | None]:
        """Yields the guard of an order that is about to be placed; None for a person's.

        What it has counted is given back where the order certainly was not placed.
        """
        if call.origin is Origin.CALLER:
            yield None
            return

        held = _Held(self._caps, self._share, call.tenant.id, account_id)
        try:
            yield held
        except (BadInput, NotAllowed, NotFound, OrderNotRecorded):
            held.give_back()  # these prove that nothing was sent; others prove nothing
            raise


class _Held:
    """The guard of one call."""

    def __init__(self, caps: Caps, share: Decimal, tenant_id: str, account_id: str) -> None:
        self._caps = caps
        self._share = share
        self._tenant_id = tenant_id
        self._account_id = account_id
        self._reservation: Reservation | None = None

    def admit(self, order: Weighed) -> None:
        """Counts an order under the caps; one that was not sent in the end makes room for it."""
        if order.opening is None or order.closing is None:
            raise NotCapped

        for part in order.parts:
            if part.closing != 0:
                self._refuse_far(part)

        self.give_back()
        self._reservation = self._caps.reserve(
            self._tenant_id,
            order.opening,
            closing=order.closing,
            account_id=self._account_id,
            orders=len(order.parts),
        )

    def give_back(self) -> None:
        if self._reservation is not None:
            self._reservation.give_back()
            self._reservation = None

    def _refuse_far(self, part: Prepared) -> None:
        """Refuses to close for much less than the market's middle.

        At the market, and behind a trigger, the price is what the other side offers now. A limit on
        the better side of the middle gives nothing away, however far it is.
        """
        pricing, spec = part.pricing, part.spec
        if pricing is None:
            raise MarketNotSeen

        own = spec.price if spec.order_type == "Limit" else None
        price = pricing.natural if own is None else own
        allowed = max(abs(pricing.mid) * self._share, SMALLEST_DISTANCE)
        if pricing.mid - price > allowed:
            raise TooFarFromMarket(
                price=f"{price:f}", mid=f"{pricing.mid:f}", allowed=f"{allowed:.2f}"
            )
