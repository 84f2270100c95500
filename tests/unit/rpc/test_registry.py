"""An rpc without an answer, or a declaration without a reason, stops the start."""

from __future__ import annotations

from typing import Any

import pytest
from tasty.v1 import system_service_pb2, system_service_pb2_grpc

from server.errors import RouteNotBuilt
from server.rpc.methods import contract_methods
from server.rpc.registry import Unbound, bind

SYSTEM = "tasty.v1.SystemService"


class Half(system_service_pb2_grpc.SystemServiceServicer):
    """Has one of its two rpcs; the other is inherited from generated code."""

    async def GetHealth(self, request: Any, context: Any) -> str:  # noqa: N802 - the contract's
        return "healthy"


class Whole(Half):
    async def GetCurrentTime(self, request: Any, context: Any) -> str:  # noqa: N802 - the same
        return "noon"


def methods() -> list[Any]:
    return list(contract_methods([system_service_pb2]))


async def test_every_rpc_gets_the_method_of_its_servicer() -> None:
    bindings = bind(methods(), {SYSTEM: Whole()}, ())

    answers = {binding.method.name: await binding.function(None, None) for binding in bindings}
    assert answers == {"GetHealth": "healthy", "GetCurrentTime": "noon"}


def test_what_nobody_answers_stops_the_start() -> None:
    with pytest.raises(Unbound, match=r"SystemService/GetCurrentTime has no servicer"):
        bind(methods(), {SYSTEM: Half()}, ())
    with pytest.raises(Unbound, match=r"GetCurrentTime has no .*; .*GetHealth has no"):
        bind(methods(), {}, ())


async def test_what_is_declared_as_not_built_says_so_to_callers() -> None:
    bindings = bind(methods(), {SYSTEM: Half()}, [f"{SYSTEM}/GetCurrentTime"])

    [refused] = [binding for binding in bindings if binding.method.name == "GetCurrentTime"]
    with pytest.raises(RouteNotBuilt, match="GetCurrentTime is part of the contract"):
        await refused.function(None, None)


def test_a_whole_service_can_be_declared() -> None:
    assert len(bind(methods(), {}, [SYSTEM])) == 2


@pytest.mark.parametrize(
    ("servicer", "declared", "complaint"),
    [
        (Whole(), [f"{SYSTEM}/GetHealth"], "is declared as not built, but it is"),
        (Whole(), [SYSTEM], "is declared as not built for nothing"),
        (Whole(), ["tasty.v1.Typo"], "Typo is declared as not built for nothing"),
    ],
)
def test_a_declaration_cannot_outlive_its_reason(
    servicer: object, declared: list[str], complaint: str
) -> None:
    with pytest.raises(Unbound, match=complaint):
        bind(methods(), {SYSTEM: servicer}, declared)


def test_a_servicer_of_an_unknown_service_is_a_typo() -> None:
    with pytest.raises(Unbound, match=r"tasty\.v1\.Typo is not a service of the contract"):
        bind(methods(), {SYSTEM: Whole(), "tasty.v1.Typo": Whole()}, ())
