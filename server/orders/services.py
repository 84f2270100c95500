"""All of orders put together: what the servicers need, opened and closed as one."""

from __future__ import annotations

__all__ = ["OrderOffice", "open_office"]

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from server.brokerage import Brokerage
from server.clock import Clock
from server.market.market_data_service import MarketDesk
from server.orders.events.log import EventLog
from server.orders.events.object_states import EventKind, Report
from server.orders.events.streams import AccountStreams
from server.orders.placing.cancel_service import Cancels
from server.orders.placing.complex_order_service import ComplexDesk
from server.orders.placing.order_preparer import Preparation
from server.orders.placing.order_quotes import OrderQuotes
from server.orders.placing.order_service import OrderDesk
from server.orders.retention import keep_house
from server.orders.risk_limits import SwitchBoard
from server.orders.submitting.idempotent_orders import Errands
from server.orders.submitting.journal import Ledger
from server.orders.submitting.reconciler import Resolver
from server.orders.submitting.submitter import Dispatch
from server.orders.submitting.time_limited_store import Aside
from server.orders.submitting.used_names import UsedNames
from server.settings import Settings
from server.store import Database
from server.streams.stream_count import StreamCount


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderOffice:
    """The desks of orders."""

    desk: OrderDesk
    complex: ComplexDesk
    cancels: Cancels
    board: SwitchBoard
    ledger: Ledger
    dispatch: Dispatch
    resolver: Resolver
    events: EventLog
    streams: AccountStreams


@asynccontextmanager
async def open_office(
    settings: Settings,
    database: Database,
    brokerage: Brokerage,
    market: MarketDesk,
    count: StreamCount,
    draining: asyncio.Event,
    clock: Clock,
) -> AsyncIterator[OrderOffice]:
    """Yields the desks; leaving lets the changes land that are on their way."""
    board = SwitchBoard(settings, database, clock)
    ledger = Ledger(settings, database, board, clock)
    resolver = Resolver(brokerage, ledger, clock)
    events = EventLog(settings, database, clock)

    def seen(report: Report) -> None:
        if report.kind is EventKind.ORDER:
            resolver.hint(report.account_number, report.body.get("external-identifier"))

    async with AsyncExitStack() as stack:
        grace = timedelta(seconds=settings.drain_s)
        # Before the dispatch, whose flights use it until they land.
        aside = await stack.enter_async_context(Aside())
        dispatch = await stack.enter_async_context(
            Dispatch(ledger, resolver, clock, draining, grace)
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
        await stack.enter_async_context(keep_house(ledger, events, clock))
        names = await stack.enter_async_context(UsedNames(settings, database, clock))
        errands = Errands(ledger, names, resolver, dispatch, clock)
        preparation = Preparation(OrderQuotes(market, settings, clock), clock)
        desk = OrderDesk(brokerage, preparation, errands, board, clock)
        yield OrderOffice(
            desk=desk,
            complex=ComplexDesk(desk, preparation, errands, board),
            cancels=Cancels(ledger, board, dispatch, aside, clock),
            board=board,
            ledger=ledger,
            dispatch=dispatch,
            resolver=resolver,
            events=events,
            streams=streams,
        )
