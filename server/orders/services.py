"""Composes the services of orders, opened and closed as one."""

from __future__ import annotations

__all__ = ["OrderServices", "open_order_services"]

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from server.brokerage import Brokerage
from server.clock import Clock
from server.market.market_data_service import MarketDataService
from server.orders.events.log import EventLog
from server.orders.events.object_states import EventKind, ObjectState
from server.orders.events.streams import AccountStreams
from server.orders.placing.cancel_service import CancelService
from server.orders.placing.complex_order_service import ComplexOrderService
from server.orders.placing.order_preparer import OrderPreparer
from server.orders.placing.order_quotes import OrderQuotes
from server.orders.placing.order_service import OrderService
from server.orders.retention import run_retention
from server.orders.risk_limits import RiskLimits
from server.orders.submitting.idempotent_orders import IdempotentOrders
from server.orders.submitting.journal import OrderJournal
from server.orders.submitting.reconciler import Reconciler
from server.orders.submitting.submitter import OrderSubmitter
from server.orders.submitting.time_limited_store import TimeLimitedStore
from server.orders.submitting.used_names import UsedNames
from server.settings import Settings
from server.store import Database
from server.streams.stream_count import StreamCount


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderServices:
    """Groups what the servicers call."""

    single: OrderService
    complex: ComplexOrderService
    cancels: CancelService
    risk_limits: RiskLimits
    journal: OrderJournal
    submitter: OrderSubmitter
    reconciler: Reconciler
    events: EventLog
    streams: AccountStreams


@asynccontextmanager
async def open_order_services(
    settings: Settings,
    database: Database,
    brokerage: Brokerage,
    market: MarketDataService,
    count: StreamCount,
    draining: asyncio.Event,
    clock: Clock,
) -> AsyncIterator[OrderServices]:
    """Yields the services; leaving waits for the submissions in flight."""
    risk_limits = RiskLimits(settings, database, clock)
    journal = OrderJournal(settings, database, risk_limits, clock)
    reconciler = Reconciler(brokerage, journal, clock)
    events = EventLog(settings, database, clock)

    def seen(state: ObjectState) -> None:
        if state.kind is EventKind.ORDER:
            reconciler.hint(state.account_number, state.body.get("external-identifier"))

    async with AsyncExitStack() as stack:
        grace = timedelta(seconds=settings.drain_s)
        # Before the submitter, whose submissions in flight use it until they end.
        store = await stack.enter_async_context(TimeLimitedStore())
        submitter = await stack.enter_async_context(
            OrderSubmitter(journal, reconciler, clock, draining, grace)
        )
        streams = await stack.enter_async_context(
            AccountStreams(
                settings,
                brokerage,
                events,
                count,
                clock,
                Random(),  # noqa: S311 - spreads reconnects, guards nothing
                draining,
                seen,
            )
        )
        await stack.enter_async_context(run_retention(journal, events, clock))
        names = await stack.enter_async_context(UsedNames(settings, database, clock))
        idempotent_orders = IdempotentOrders(journal, names, reconciler, submitter, clock)
        preparer = OrderPreparer(OrderQuotes(market, settings, clock), clock)
        single = OrderService(brokerage, preparer, idempotent_orders, risk_limits, clock)
        yield OrderServices(
            single=single,
            complex=ComplexOrderService(single, preparer, idempotent_orders, risk_limits),
            cancels=CancelService(journal, risk_limits, submitter, store, clock),
            risk_limits=risk_limits,
            journal=journal,
            submitter=submitter,
            reconciler=reconciler,
            events=events,
            streams=streams,
        )
