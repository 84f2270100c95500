"""Rpcs that answer as a test says: the seam between the agent and the server."""

from __future__ import annotations

__all__ = ["ACCOUNT", "TENANT", "ScriptedRpcs", "dry_run", "tools_of"]

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message
from tasty.v1.order_placement_pb2 import PlaceOrderRequest, PlaceOrderResponse

from server.agent.tools import Tools
from server.contract.catalog import load
from server.contract.tools import load_tools
from server.tenants import Tenant

ACCOUNT = "5WT00001"
TENANT = Tenant(id="tenant", generation=1)


class ScriptedRpcs:
    """Satisfies `Rpcs`; an answer is a message, an exception, or a function of the request."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {}
        self.calls: list[tuple[str, Message]] = []
        for name, answer in answers.items():
            self.answers[load_tools()[name].rpc] = answer

    async def call(self, path: str, request: Message, *, by_person: bool = False) -> Any:
        self.calls.append((path, request))
        answer = self.answers[path]
        if isinstance(answer, Exception):
            raise answer

        return answer(request) if isinstance(answer, Callable) else answer

    @property
    def placed(self) -> list[PlaceOrderRequest]:
        """Orders that went out."""
        path = load_tools()["place_order"].rpc
        return [
            request
            for called, request in self.calls
            if called == path
            and isinstance(request, PlaceOrderRequest)
            and not request.order.dry_run
        ]


def tools_of(rpcs: ScriptedRpcs) -> Tools:
    return Tools(load_tools(), load(), rpcs)


def dry_run(
    *,
    price: str = "-4.50",
    mid: str = "-4.50",
    action: str = "Buy to Open",
    quantity: float = 1,
    taken: str = "-451.12",
) -> Callable[[PlaceOrderRequest], PlaceOrderResponse]:
    """Returns what answers orders: dry runs with these figures, and placements with an id."""

    def answer(request: PlaceOrderRequest) -> PlaceOrderResponse:
        receipt = PlaceOrderResponse(
            status="Received" if request.order.dry_run else "Routed",
            id="" if request.order.dry_run else "1000001",
            dry_run=request.order.dry_run,
            price=request.order.price or price,
            client_order_id=request.order.client_order_id,
        )
        receipt.order.time_in_force = "Day"
        receipt.order.order_type = "Limit"
        receipt.order.legs.add(
            symbol="SPY   251219P00685000",
            instrument_type="Equity Option",
            action=action,
            quantity=quantity,
        )
        receipt.buying_power_effect.change_in_buying_power = taken
        receipt.fee_calculation.total_fees = "-1.12"
        receipt.pricing.mid_price = mid
        return receipt

    return answer
