"""Says how urgent a call's requests to the broker are, and until when they are of use."""

from __future__ import annotations

__all__ = ["Urgency"]

from typing import Any

from server.brokerage.transport.urgency import urgent
from server.rpc.call import Call
from server.rpc.chain import Body

ANSWER_S = 0.5
"""How long before its deadline a call must be able to ask the broker, to get an answer in time."""


class Urgency:
    """An inner call has the urgency of its own rpc: an order of the agent's is an order."""

    async def around(self, call: Call, proceed: Body) -> Any:
        until = None if call.deadline is None else call.deadline - ANSWER_S
        with urgent(call.method.urgency, until):
            return await proceed(call)
