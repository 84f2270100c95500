"""Cancels, releases or replaces the orders that depend on the end or the first fill of another."""

from __future__ import annotations

__all__ = ["ContingentOrders"]

from datetime import datetime, timedelta

from server.simulator.exchange.complex_orders import ComplexOrder
from server.simulator.exchange.matching_engine import MatchingEngine
from server.simulator.exchange.notifier import Notifier
from server.simulator.exchange.orders import Order
from server.simulator.exchange.registry import Registry
from server.simulator.exchange.settings import ExchangeSettings
from server.simulator.exchange.vocabulary import Status

SIBLING_GAP = timedelta(milliseconds=30)
"""The broker cancels the children of an OCO one after the other, about 30 ms apart."""


class ContingentOrders:
    """Handles replacements and complex orders; called by the matching engine, acts through it."""

    def __init__(self, registry: Registry, notifier: Notifier, settings: ExchangeSettings) -> None:
        self._registry = registry
        self._notifier = notifier
        self._settings = settings
        self.matching_engine: MatchingEngine

    def on_first_fill(self, order: Order, at: datetime) -> None:
        """Cancels the siblings in an OCO when one of its orders gets its first fill."""
        complex_order = self._registry.find_complex_order(order)
        if (
            complex_order is not None
            and complex_order.one_cancels_other
            and _is_child(complex_order, order)
        ):
            self._cancel_siblings(complex_order, order, at)

    def on_end(self, order: Order, at: datetime) -> None:
        """Handles the end of an order: its replacement, its children and its siblings."""
        if order.replacing is not None and order.status is not Status.CANCELLED:
            self.matching_engine.abort_replace(order, at)

        complex_order = self._registry.find_complex_order(order)
        if complex_order is None:
            return

        if order.replacing is not None and order.status is Status.CANCELLED:
            self._substitute(complex_order, order)
        elif order is complex_order.trigger:
            self._release_children(complex_order, order, at)
        elif (
            complex_order.one_cancels_other
            and _is_child(complex_order, order)
            # A sibling with fills keeps working although the others have ended.
            and not any(child.has_fills for child in complex_order.orders)
        ):
            self._cancel_siblings(complex_order, order, at)

    def cancel(self, order: Order, at: datetime) -> None:
        """Requests the cancellation of a working order; a live one takes a moment to cancel."""
        if order.status.terminal or order.status is Status.CANCEL_REQUESTED:
            return

        if order.status in (Status.CONTINGENT, Status.RECEIVED):
            self.matching_engine.end(order, Status.CANCELLED, at)
            return

        if order.status is Status.REPLACE_REQUESTED:
            self.matching_engine.abort_replace(order, at)

        order.set_status(Status.CANCEL_REQUESTED, at)
        order.due = at + self._settings.cancelling
        self._notifier.publish_order(order)

    def _cancel_siblings(self, complex_order: ComplexOrder, order: Order, at: datetime) -> None:
        others = [other for other in complex_order.orders if other is not order]
        for place, other in enumerate(others):
            self.cancel(other, at + place * SIBLING_GAP)

    def _release_children(self, complex_order: ComplexOrder, trigger: Order, at: datetime) -> None:
        for child in list(complex_order.orders):
            if child.status.terminal:
                continue

            if trigger.status is Status.FILLED:
                self.matching_engine.route(child, at)
            else:
                self.matching_engine.end(child, Status.CANCELLED, at)

    def _substitute(self, complex_order: ComplexOrder, old: Order) -> None:
        new = self._registry.orders.get(old.replacing or 0)
        if new is None:
            return

        if old is complex_order.trigger:
            complex_order.trigger = new
        else:
            complex_order.orders = [
                new if child is old else child for child in complex_order.orders
            ]


def _is_child(complex_order: ComplexOrder, order: Order) -> bool:
    # A replacement that is still waiting has the id, but no place yet.
    return any(child is order for child in complex_order.orders)
