"""What tools may do follows from the contract: no list of names, and nothing new is trusted."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message_factory import GetMessageClass

from server.agent.guard import Permission, dry_run_of, permission
from server.contract.catalog import Effect, load
from server.contract.tools import load_tools
from tests.unit.agent.scripted import ScriptedRpcs, tools_of

TOOLS = load_tools()
CHANGES = [tool for tool in TOOLS.values() if tool.effect is not Effect.READS]
READS = [tool for tool in TOOLS.values() if tool.effect is Effect.READS]


def blank(tool: Any) -> Any:
    method = load().method(tool.rpc)
    assert method is not None
    return GetMessageClass(method.request)()


@pytest.mark.parametrize("tool", READS, ids=lambda tool: tool.name)
@pytest.mark.parametrize("trading", ["confirm", "auto", "off"])
def test_reading_is_free(tool: Any, trading: str) -> None:
    assert permission(tool, blank(tool), trading) is Permission.RUN


@pytest.mark.parametrize("tool", CHANGES, ids=lambda tool: tool.name)
def test_changing_waits_for_a_code_unless_the_operator_says_otherwise(tool: Any) -> None:
    assert permission(tool, blank(tool), "confirm") is Permission.TICKET
    assert permission(tool, blank(tool), "auto") is Permission.AT_ONCE
    assert permission(tool, blank(tool), "off") is Permission.REFUSE
    assert permission(tool, blank(tool), "anything else") is Permission.REFUSE


def test_a_dry_run_changes_nothing() -> None:
    tools = tools_of(ScriptedRpcs())
    tool = tools["place_order"]
    order = {"legs": [{"symbol": "SPY", "action": "Buy", "quantity": 1}], "dry_run": True}
    request = tools.request(tool, {"account_id": "x", "order": order})
    for trading in ("confirm", "auto", "off"):
        assert permission(tool, request, trading) is Permission.RUN


@pytest.mark.parametrize("tool", CHANGES, ids=lambda tool: tool.name)
def test_every_rpc_that_places_orders_can_be_tried_first(tool: Any) -> None:
    trial = dry_run_of(blank(tool))
    assert (trial is not None) == tool.name.startswith("place_")
    if trial is not None:
        assert permission(tool, trial, "off") is Permission.RUN


def test_confirming_is_no_tool() -> None:
    assert not any("confirm" in name or "chat" in name for name in TOOLS)
    assert not any("credential" in name for name in TOOLS)
