"""Calls rpcs from inside the process, as a tenant, through the same chain and without a socket.

The agent's tools are such calls. They wait in the tenant's queue, are logged and counted like any
other, and end with the call that made them; what is not done again is checking the key. What they
ask for is validated like a request from outside: a model wrote it.
"""

from __future__ import annotations

__all__ = ["Loopback"]

from collections.abc import Iterable
from typing import Any

from google.protobuf.message import Message

from server.contract.catalog import load
from server.contract.validation import validate
from server.errors import GatewayError
from server.rpc.call import Call, Origin, current_call
from server.rpc.chain import Body, Chain
from server.rpc.methods import Method
from server.rpc.registry import Binding


class InnerCallFailed(Exception):
    """An inner call met an error that nobody foresaw; the log has it under the same request id."""


class Loopback:
    """Every unary rpc of the contract, by path; connected once the servicers are bound."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._bodies: dict[str, tuple[Method, Body]] = {}

    def connect(self, bindings: Iterable[Binding]) -> None:
        for binding in bindings:
            if not binding.method.streaming:
                body = self._chain.around(_body(binding))
                self._bodies[binding.method.path] = (binding.method, body)

    async def call(self, path: str, request: Message, *, by_person: bool = False) -> Any:
        """Returns the answer of the rpc at `path` ("/tasty.v1.OrderService/GetOrder").

        What a person has confirmed is decided by whoever made the outer call, and else by a model.

        Must be awaited in the task of a call that has a tenant: the inner call is that tenant's,
        and ends when that call ends. Raises the GatewayError that a client would have received.
        """
        method, body = self._bodies[path]
        outer = current_call()
        inner = Call(
            method=method,
            draining=outer.draining,
            request=request,
            deadline=outer.deadline,
            inner=True,
            decided_by=outer.origin if by_person else Origin.CHAT,
            request_id=outer.request_id,
            known_tenant=outer.tenant,
        )
        answer = await body(inner)
        if inner.failure is None:
            return answer

        if isinstance(inner.failure.error, GatewayError):
            raise inner.failure.error

        raise InnerCallFailed(path) from inner.failure.error


def _body(binding: Binding) -> Body:
    if load().method(binding.method.path) is None:  # as in `reader_of`: no contract of ours

        async def unruled(call: Call) -> Any:
            return await binding.function(call.request, call.context)

        return unruled

    async def body(call: Call) -> Any:
        return await binding.function(validate(call.request), call.context)

    return body
