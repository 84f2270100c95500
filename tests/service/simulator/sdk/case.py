"""How a call of the SDK is written down: prepare, yield the call, look at what came of it.

A case yields the coroutine (or the async iterator) itself, so that the driver can see which of the
SDK's functions it really is: a case cannot claim to cover a call that it does not make.
"""

from __future__ import annotations

__all__ = ["CASES", "Case", "CaseContext", "covers", "run"]

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tastytrade import Account, Session
from tastytrade.instruments import Equity
from tastytrade.order import LimitOrder, OrderAction, PlacedOrder

from server.simulator import Simulator

Case = Callable[["CaseContext"], AsyncGenerator[Any, Any]]
CASES: dict[str, Case] = {}
"""By the qualified name of what is called."""


@dataclass(frozen=True)
class CaseContext:
    """Holds a simulator, a session of the demo customer and its margin account, for all cases."""

    sim: Simulator
    session: Session
    account: Account

    async def low_bid(self, symbol: str = "SPY", price: str = "-1.00") -> LimitOrder:
        """Makes an order that nobody will take."""
        stock = await Equity.get(self.session, symbol)
        leg = stock.build_leg(Decimal(1), OrderAction.BUY_TO_OPEN)
        return LimitOrder(legs=[leg], price=Decimal(price))

    async def working(self) -> PlacedOrder:
        """Places such an order."""
        order = await self.low_bid()
        return (await self.account.place_order(self.session, order, dry_run=False)).order


def covers(name: str) -> Callable[[Case], Case]:
    """Registers a case under the name of what it calls."""

    def register(case: Case) -> Case:
        assert name not in CASES, f"{name} has two cases"
        CASES[name] = case
        return case

    return register


async def run(name: str, context: CaseContext) -> None:
    """Drives one case and checks that it makes the call that it is registered for."""
    case = CASES[name](context)
    call = await anext(case)
    assert call.__qualname__ == name, f"the case of {name} calls {call.__qualname__}"
    result = await _first(call) if isinstance(call, AsyncIterator) else await call
    try:
        await case.asend(result)
    except StopAsyncIteration:
        return

    await case.aclose()
    raise AssertionError(f"the case of {name} makes two calls")


async def _first(stream: Any) -> Any:
    try:
        return await anext(stream)
    finally:
        await stream.aclose()
