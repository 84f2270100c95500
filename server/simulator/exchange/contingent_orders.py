"""What the end or the first fill of one order means for the orders that hang on it."""

from __future__ import annotations

__all__ = ["Links"]

from datetime import datetime, timedelta

from server.simulator.exchange.complex_orders import ComplexOrder
from server.simulator.exchange.matching_engine import Floor
from server.simulator.exchange.notifier import Notices
from server.simulator.exchange.orders import Order
from server.simulator.exchange.registry import Registry
from server.simulator.exchange.settings import ExchangeSettings
from server.simulator.exchange.vocabulary import Status

SIBLING_GAP = timedelta(milliseconds=30)
"""The broker cancels the children of an OCO one after the other, some 30 ms apart."""


class Links:
    """Follows replacements and complex orders; called by the floor, acts through it."""

    def __init__(self, registry: Registry, notices: Notices, settings: ExchangeSettings) -> None:
        self._registry = registry
        self._notices = notices
        self._settings = settings
        self.floor: Floor

    def filled(self, order: Order, at: datetime) -> None:
        """Is told of the first fill of an order: the others of an OCO end with it."""
        whole = self._registry.relatives(order)
        if whole is not None and whole.one_cancels_other and _is_child(whole, order):
            self._cancel_siblings(whole, order, at)

    def ended(self, order: Order, at: datetime) -> None:
        """Is told of the end of an order."""
        if order.replacing is not None and order.status is not Status.CANCELLED:
            self.floor.abort_replace(order, at)

        whole = self._registry.relatives(order)
        if whole is None:
            return

        if order.replacing is not None and order.status is Status.CANCELLED:
            self._take_place(whole, order)
        elif order is whole.trigger:
            self._trigger(whole, order, at)
        elif (
            whole.one_cancels_other
            and _is_child(whole, order)
            # One that has traded goes on; the end of the others does not end it.
            and not any(child.has_fills for child in whole.orders)
        ):
            self._cancel_siblings(whole, order, at)

    def cancel(self, order: Order, at: datetime) -> None:
        """Asks for the end of an order that still works: at the exchange that takes a moment."""
        if order.status.terminal or order.status is Status.CANCEL_REQUESTED:
            return

        if order.status in (Status.CONTINGENT, Status.RECEIVED):
            self.floor.end(order, Status.CANCELLED, at)
            return

        if order.status is Status.REPLACE_REQUESTED:
            self.floor.abort_replace(order, at)

        order.move(Status.CANCEL_REQUESTED, at)
        order.due = at + self._settings.cancelling
        self._notices.order(order)

    def _cancel_siblings(self, whole: ComplexOrder, order: Order, at: datetime) -> None:
        others = [other for other in whole.orders if other is not order]
        for place, other in enumerate(others):
            self.cancel(other, at + place * SIBLING_GAP)

    def _trigger(self, whole: ComplexOrder, trigger: Order, at: datetime) -> None:
        for child in list(whole.orders):
            if child.status.terminal:
                continue

            if trigger.status is Status.FILLED:
                self.floor.route(child, at)
            else:
                self.floor.end(child, Status.CANCELLED, at)

    def _take_place(self, whole: ComplexOrder, old: Order) -> None:
        new = self._registry.orders.get(old.replacing or 0)
        if new is None:
            return

        if old is whole.trigger:
            whole.trigger = new
        else:
            whole.orders = [new if child is old else child for child in whole.orders]


def _is_child(whole: ComplexOrder, order: Order) -> bool:
    # A replacement that still waits carries the id, but has no place yet.
    return any(child is order for child in whole.orders)
