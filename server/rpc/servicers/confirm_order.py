"""ConfirmOrder: the second step of an order that the agent prepared, for programs.

An rpc of the order service with an object of its own: it belongs to the agent's tickets, and the
order desk knows nothing of them.
"""

from __future__ import annotations

__all__ = ["ConfirmOrders"]

from tasty.v1 import order_placement_pb2 as pb

from server.agent import Agent
from server.brokerage import Brokerage
from server.rpc.call import current_call


class ConfirmOrders:
    """Carries out tickets of the calling tenant."""

    def __init__(self, agent: Agent, brokerage: Brokerage) -> None:
        self._agent = agent
        self._brokerage = brokerage

    async def ConfirmOrder(  # noqa: N802 - named by the contract
        self, request: pb.ConfirmOrderRequest, context: object
    ) -> pb.ConfirmOrderResponse:
        tenant = current_call().tenant
        code = request.confirmation.code
        session = await self._brokerage.session(tenant)
        account = await session.account(request.account_id)
        _, receipt = await self._agent.confirm(tenant, code, account.number)
        return pb.ConfirmOrderResponse(receipt=receipt)
