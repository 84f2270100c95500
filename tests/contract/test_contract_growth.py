"""An rpc added to a proto is a route, an operation, and a tool of the agent and of MCP clients.

Nothing else had to change for it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from server.agent.guard import Permission, permission
from server.agent.tools import Tools
from server.contract.catalog import Contract, Effect
from server.contract.edge import descriptors_for_envoy
from server.contract.openapi import document
from server.contract.protos import PROTO, compile_protos
from server.contract.tools import Tool, manifest
from server.edge.mcp import listed, mcp_filters
from tests.unit.agent.scripted import ScriptedRpcs

RPC = """
  // Counts the sheep of a farm. 404 for a farm that has none.
  rpc CountSheep(CountSheepRequest) returns (CountSheepResponse) {
    option (google.api.http) = {
      post: "/api/v1/farms/{farm}/sheep"
      body: "sheep"
    };
    option (policy).strict = true;
    option idempotency_level = IDEMPOTENT;
  }
}
"""
MESSAGES = """
// Names the farm.
message CountSheepRequest {
  // The farm.
  string farm = 1;
  // The sheep to count.
  Sheep sheep = 2;
}

// A sheep.
message Sheep {
  // Its weight in kilograms.
  string weight = 1 [(rule).format = FORMAT_DECIMAL];
}

// How many there are.
message CountSheepResponse {
  // The number of sheep, 0 or more.
  int32 count = 1;
}
"""


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    folder = tmp_path_factory.mktemp("grown")
    shutil.copytree(PROTO, folder / "proto")
    file = folder / "proto" / "tasty" / "v1" / "system_service.proto"
    head, brace, tail = file.read_text().partition("\n}\n")
    assert brace
    file.write_text(f"{head}\n{RPC}{tail}{MESSAGES}")

    gen = Path(folder / "gen")
    gen.mkdir()
    compile_protos(gen, folder / "proto")
    return Contract.of((gen / "descriptors.pb").read_bytes())


def test_the_new_rpc_is_a_method(grown: Contract) -> None:
    method = grown.named("CountSheep")
    assert method.comment == "Counts the sheep of a farm. 404 for a farm that has none."
    assert method.effect is Effect.REPEATABLE
    assert method.title == "Count sheep"


def test_the_new_rpc_is_a_tool(grown: Contract) -> None:
    tool = next(tool for tool in manifest(grown) if tool["name"] == "count_sheep")
    assert tool["http"] == {"post": "/api/v1/farms/{farm}/sheep", "body": "sheep"}
    weight = tool["input_schema"]["properties"]["sheep"]["properties"]["weight"]
    assert weight["description"] == "Its weight in kilograms."


def test_the_new_rpc_is_an_operation(grown: Contract) -> None:
    made = document(grown, version="0", examples={})
    operation = made["paths"]["/api/v1/farms/{farm}/sheep"]["post"]
    assert operation["operationId"] == "CountSheep"
    assert [parameter["name"] for parameter in operation["parameters"]] == ["farm"]
    assert "Sheep" in made["components"]["schemas"]


def test_the_new_body_reaches_the_server_raw(grown: Contract) -> None:
    edge = Contract.of(descriptors_for_envoy(grown))
    assert edge.named("CountSheep").http.body == "raw_body"  # type: ignore[union-attr] # it has a route


def the_tool(grown: Contract) -> Tool:
    entry = next(tool for tool in manifest(grown) if tool["name"] == "count_sheep")
    return Tool(**{**entry, "effect": Effect(entry["effect"])})


def test_the_new_tool_is_the_agents_and_waits_for_a_code(grown: Contract) -> None:
    """It changes something, and nobody had to say in the agent what it may do."""
    tool = the_tool(grown)
    tools = Tools({tool.name: tool}, grown, ScriptedRpcs())
    request = tools.request(tool, {"farm": "north", "sheep": {"weight": "41.5"}})
    assert request.sheep.weight == "41.5"  # type: ignore[attr-defined] # made in this test
    assert permission(tool, request, "confirm") is Permission.TICKET
    assert permission(tool, request, "off") is Permission.REFUSE


def test_the_new_tool_is_one_of_mcp(grown: Contract) -> None:
    tool = the_tool(grown)
    shown = listed(tool)
    assert shown["name"] == "count_sheep"
    assert shown["inputSchema"]["properties"]["farm"]["description"] == "The farm."
    assert shown["annotations"]["readOnlyHint"] is False
    assert shown["annotations"]["idempotentHint"] is True

    _script, bridge = mcp_filters([tool], body_limit=1)
    config = bridge["typed_config"]["tool_config"]["tools"]  # type: ignore[index] # a plain mapping
    assert config == [{"name": "count_sheep", "http_rule": dict(tool.http)}]
