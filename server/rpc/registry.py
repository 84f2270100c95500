"""Binds every rpc of the contract to the servicer method that answers it, before the first call.

An rpc is either served or declared as not built; anything else stops the start. So a new rpc in the
contract cannot be forgotten, and a declaration cannot outlive its reason.
"""

from __future__ import annotations

__all__ = ["Binding", "Unbound", "bind"]

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from server.errors import RouteNotBuilt
from server.rpc.methods import Method


class Unbound(Exception):
    """The contract, the servicers and the list of what is not built do not fit together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """An rpc and what answers it."""

    method: Method
    function: Callable[[Any, Any], Any]


def bind(
    methods: Iterable[Method], servicers: Mapping[str, object], not_built: Iterable[str]
) -> tuple[Binding, ...]:
    """Returns a binding for every rpc.

    `servicers` are keyed by the full name of their service ("tasty.v1.OrderService"), or of the one
    rpc that they serve in its stead ("tasty.v1.OrderService/ConfirmOrder"); `not_built` has names
    of either kind.
    """
    unused = set(not_built)
    bindings = []
    problems = []
    for method in methods:
        servicer = servicers.get(method.path[1:], servicers.get(method.service))
        function = _own(servicer, method.name)
        declared = {method.service, method.path[1:]} & set(not_built)
        if function is None and not declared:
            problems.append(f"{method.path[1:]} has no servicer and is not declared as not built")
        elif function is None:
            unused -= declared
            function = _not_built(method)
        elif method.path[1:] in declared:
            problems.append(f"{method.path[1:]} is declared as not built, but it is")

        if function is not None:
            bindings.append(Binding(method=method, function=function))

    known = {binding.method.service for binding in bindings}
    known |= {binding.method.path[1:] for binding in bindings}
    problems += [f"{name} is not a service of the contract" for name in servicers.keys() - known]
    problems += [f"{name} is declared as not built for nothing" for name in unused]
    if problems:
        raise Unbound("; ".join(sorted(problems)))

    return tuple(bindings)


def _own(servicer: object | None, name: str) -> Callable[[Any, Any], Any] | None:
    """Returns a method that the servicer wrote itself, not one inherited from generated code."""
    for cls in type(servicer).__mro__:
        if name in vars(cls):
            return None if cls.__module__.endswith("_pb2_grpc") else getattr(servicer, name)

    return None


def _not_built(method: Method) -> Callable[[Any, Any], Any]:
    async def refuse(_request: Any, _context: Any) -> Any:
        raise RouteNotBuilt(method.name)

    async def refuse_stream(_request: Any, _context: Any) -> AsyncIterator[Any]:
        raise RouteNotBuilt(method.name)
        yield  # makes it a generator, as the adapter expects of a stream

    return refuse_stream if method.server_streaming else refuse
