"""Defines the parts of the simulated broker that REST routes use."""

from __future__ import annotations

__all__ = ["Broker"]

from dataclasses import dataclass

from server.simulator.clock import SimClock
from server.simulator.customers import Customers
from server.simulator.exchange import Exchange
from server.simulator.faults import Faults
from server.simulator.market import Market
from server.simulator.messages import MessagesApi
from server.simulator.oauth import OAuth


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Holds what a REST module may use; each module's `routes(broker)` receives it."""

    clock: SimClock
    customers: Customers
    faults: Faults
    oauth: OAuth
    market: Market
    exchange: Exchange
    messages: MessagesApi
