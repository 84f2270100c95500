"""One tenant that trades against the simulator: short words for what tests of orders do."""

from __future__ import annotations

__all__ = ["Refusal", "Trader", "leg", "open_trader", "refusal_of"]

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import grpc
from tasty.v1 import (
    credentials_service_pb2,
    new_order_pb2,
    order_pb2,
    order_service_pb2,
    reference_service_pb2,
)
from tasty.v1 import order_placement_pb2 as pb

from server.simulator.exchange.contracts import Contract, TopOfBook
from server.simulator.exchange.orders import Order, Script
from tests.gateway import Caller, Gateway
from tests.waiting import eventually

Leg = new_order_pb2.NewOrderLeg
NEVER = Script(behaviour="never")
"""The exchange leaves the order alone."""
PATIENCE_S = 600
"""For what comes first: by the server's clock, which runs twenty times as fast in some tests."""

STOCKS = ("AAPL", "MSFT", "QQQ", "IWM", "GLD", "TLT", "NVDA", "AMD", "DIS", "KO", "JPM", "XLF")
"""All with options."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a call failed."""

    code: str
    words: str


def leg(symbol: str, action: str, quantity: float | None = 1, **fields: Any) -> Leg:
    """Returns one leg; `expiration` may be a date."""
    if isinstance(fields.get("expiration_date"), date):
        fields["expiration_date"] = fields["expiration_date"].isoformat()

    return Leg(symbol=symbol, action=action, quantity=quantity, **fields)


async def refusal_of(call: Awaitable[Any]) -> Refusal:
    """Returns how a call fails; a success is a failure of the test."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return Refusal(error.code().name, str(error.details()))

    raise AssertionError(f"it was not refused: {answer}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trader:
    """A tenant with an account of its own."""

    gateway: Gateway
    caller: Caller
    account: str
    cash_account: str

    async def place(self, *legs: Leg, **fields: Any) -> pb.PlaceOrderResponse:
        return await self.caller.orders.PlaceOrder(self.request(*legs, **fields))

    def request(
        self, *legs: Leg, account: str | None = None, **fields: Any
    ) -> pb.PlaceOrderRequest:
        order = new_order_pb2.NewOrder(legs=legs, **_texts(fields))
        return pb.PlaceOrderRequest(account_id=account or self.account, order=order)

    async def refused(self, *legs: Leg, **fields: Any) -> Refusal:
        """Returns how placing fails, having seen that the broker got nothing."""
        before = len(self.orders)
        refusal = await refusal_of(self.place(*legs, **fields))
        assert len(self.orders) == before
        return refusal

    async def replace(self, order_id: str, **fields: Any) -> pb.ReplaceOrderResponse:
        change = new_order_pb2.OrderChange(**_texts(fields))
        request = pb.ReplaceOrderRequest(account_id=self.account, order_id=order_id, change=change)
        return await self.caller.orders.ReplaceOrder(request)

    async def cancel(self, order_id: str) -> pb.CancelOrderResponse:
        request = pb.CancelOrderRequest(account_id=self.account, order_id=order_id)
        return await self.caller.orders.CancelOrder(request)

    async def combine(
        self, kind: str, *orders: Any, trigger: Any = None, **fields: Any
    ) -> pb.PlaceComplexOrderResponse:
        order = new_order_pb2.NewComplexOrder(
            type=kind, trigger_order=trigger, orders=orders, **fields
        )
        request = pb.PlaceComplexOrderRequest(account_id=self.account, order=order)
        return await self.caller.orders.PlaceComplexOrder(request)

    async def cancel_combined(self, complex_order_id: str) -> pb.CancelComplexOrderResponse:
        request = pb.CancelComplexOrderRequest(
            account_id=self.account, complex_order_id=complex_order_id
        )
        return await self.caller.orders.CancelComplexOrder(request)

    async def order(self, order_id: str) -> order_pb2.Order:
        request = order_service_pb2.GetOrderRequest(account_id=self.account, order_id=order_id)
        return (await self.caller.orders.GetOrder(request)).order

    @property
    def orders(self) -> list[Order]:
        """Every order of the account at the broker, oldest first."""
        return list(self.gateway.sim.exchange.registry.orders_of(self.account))

    def at_broker(self, order_id: str) -> Order:
        return self.gateway.sim.exchange.registry.orders[int(order_id)]

    def named(self, client_order_id: str) -> list[Order]:
        """The orders that carry a name: one, if all is well."""
        return [each for each in self.orders if each.ticket.external_identifier == client_order_id]

    async def until(self, order_id: str, *statuses: str) -> Order:
        """Returns the broker's order once it has one of the statuses."""
        found = self.at_broker(order_id)
        await eventually(lambda: found.status.value in statuses)
        return found

    def script(self, script: Script, count: int = 1) -> None:
        """Lays ready what the exchange does with the next orders."""
        self.gateway.sim.exchange.script(self.account, script, count)

    def fill(self, order_id: str, units: int | None = None) -> None:
        """Executes an order whatever the market says."""
        amount = None if units is None else Decimal(units)
        assert self.gateway.sim.exchange.fill(self.at_broker(order_id), units=amount, price=None)

    async def bought(self, symbol: str, quantity: float = 1) -> None:
        """Returns once the account holds what it bought at the market."""
        answer = await self.place(leg(symbol, "Buy to Open", quantity), order_type="Market")
        await self.until(answer.id, "Filled")

    def contract(self, symbol: str) -> Contract:
        found = self.gateway.sim.exchange.venue.find(symbol)
        assert found is not None
        return found

    def top(self, contract: Contract | str) -> TopOfBook:
        one = self.contract(contract) if isinstance(contract, str) else contract
        return self.gateway.sim.exchange.venue.tops([one])[0]

    def fresh(self, place: int = 0) -> str:
        """Returns a stock that the account does not hold: its past is the simulator's choice."""
        held = self.gateway.sim.exchange.registry.accounts[self.account].held
        return [symbol for symbol in STOCKS if not held(symbol)][place]

    async def options(self, underlying: str, days: int, kind: str) -> list[Contract]:
        """Returns the options of the first expiration at least `days` away, by strike."""
        request = reference_service_pb2.GetOptionChainRequest(
            symbol=underlying, min_dte=days, max_dte=days + 40, option_type=kind, all_options=False
        )
        chain = await self.caller.reference.GetOptionChain(request)
        first = chain.chain[min(chain.expiration_dates)]
        listed = first.calls if kind == "C" else first.puts
        return [self.contract(one.symbol) for one in sorted(listed, key=lambda o: o.strike_price)]

    async def near(self, underlying: str, days: int, kind: str, count: int) -> list[Contract]:
        """Returns `count` neighbouring options around the money that have two-sided markets."""
        last = self.top(underlying).mark
        assert last is not None
        options = await self.options(underlying, days, kind)
        tops = self.gateway.sim.exchange.venue.tops(options)
        listed = [one for one, top in zip(options, tops, strict=True) if _two_sided(top)]
        middle = min(range(len(listed)), key=lambda i: abs((listed[i].strike or 0) - last))
        first = max(0, min(middle - count // 2, len(listed) - count))
        return listed[first : first + count]


async def open_trader(gateway: Gateway, name: str) -> Trader:
    """Returns a new tenant; the same name gets the same accounts at the broker."""
    key = f"key-of-{name}"
    await gateway.demo.credentials.SaveCredentials(
        credentials_service_pb2.SaveCredentialsRequest(
            api_key=key, client_secret=f"secret-{name}", refresh_token=f"refresh-{name}"
        )
    )
    # Their past takes the simulator a while, and the server may be one that waits for nobody.
    customer = gateway.sim.customers.of_grant(f"refresh-{name}")
    accounts = gateway.sim.exchange.accounts_of(customer, customer.accounts)
    trader = Trader(
        gateway=gateway,
        caller=gateway.caller(key),
        account=accounts[0].number,
        cash_account=accounts[1].number,
    )
    # The first look opens the session.
    await trader.caller.orders.ListLiveOrders(
        order_service_pb2.ListLiveOrdersRequest(account_id=trader.account), timeout=PATIENCE_S
    )
    await asyncio.sleep(0)
    return trader


def _two_sided(top: TopOfBook) -> bool:
    return top.bid is not None and top.ask is not None


def _texts(fields: dict[str, Any]) -> dict[str, Any]:
    """Returns prices as texts, however the test wrote them."""
    return {
        name: f"{value}"
        if isinstance(value, (Decimal, int, float)) and value is not True and value is not False
        else value
        for name, value in fields.items()
    }
