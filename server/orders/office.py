"""All of orders put together: what the servicers need, opened and closed as one."""

from __future__ import annotations

__all__ = ["OrderOffice", "open_office"]

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from server.brokerage import Brokerage
from server.clock import Clock
from server.market.desk import MarketDesk
from server.orders.cancels import Cancels
from server.orders.complex_orders import ComplexDesk
from server.orders.desk import OrderDesk
from server.orders.dispatch import Dispatch
from server.orders.errands import Errands
from server.orders.ledger import Ledger
from server.orders.preparation import Preparation
from server.orders.quotes import OrderQuotes
from server.orders.resolver import Resolver
from server.orders.switches import SwitchBoard
from server.settings import Settings
from server.store import Database


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


@asynccontextmanager
async def open_office(
    settings: Settings, database: Database, brokerage: Brokerage, market: MarketDesk, clock: Clock
) -> AsyncIterator[OrderOffice]:
    """Yields the desks; leaving lets the changes land that are on their way."""
    board = SwitchBoard(settings, database, clock)
    ledger = Ledger(settings, database, board, clock)
    resolver = Resolver(brokerage, ledger, clock)
    async with AsyncExitStack() as stack:
        dispatch = await stack.enter_async_context(Dispatch(ledger, resolver, clock))
        errands = Errands(ledger, resolver, dispatch, clock)
        preparation = Preparation(OrderQuotes(market, settings, clock), clock)
        desk = OrderDesk(brokerage, preparation, errands, board, clock)
        yield OrderOffice(
            desk=desk,
            complex=ComplexDesk(desk, preparation, errands, board),
            cancels=Cancels(ledger, dispatch, clock),
            board=board,
            ledger=ledger,
            dispatch=dispatch,
            resolver=resolver,
        )
