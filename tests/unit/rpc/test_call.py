"""What a call tells of itself."""

from __future__ import annotations

import asyncio

import pytest

from server.rpc.call import Call, Origin
from server.rpc.methods import contract_methods

METHOD = next(iter(contract_methods()))


@pytest.mark.parametrize(
    ("metadata", "inner", "origin"),
    [
        ((), False, Origin.CALLER),
        ((("x-tasty-origin", "mcp"),), False, Origin.MCP),
        ((("x-tasty-origin", "caller"),), False, Origin.MCP),  # nobody gains by naming himself
        ((), True, Origin.CHAT),
    ],
)
async def test_a_model_that_decides_is_told_from_a_caller(
    metadata: tuple[tuple[str, str], ...], inner: bool, origin: Origin
) -> None:
    call = Call(method=METHOD, draining=asyncio.Event(), metadata=metadata, inner=inner)

    assert call.origin is origin
