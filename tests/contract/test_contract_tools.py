"""The tools are the rpcs: all that a model may call, described by the contract alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from google.protobuf.message_factory import GetMessageClass

from server.contract import strict
from server.contract.catalog import Contract, Effect
from server.contract.tools import load_tools, manifest
from tests.contract.guide import load_guide


def test_the_list_of_tools(contract: Contract, golden: Callable[[str, str], None]) -> None:
    lines = [f"{tool['name']} ({tool['effect']}) {tool['rpc']}" for tool in manifest(contract)]
    golden("tools.txt", "\n".join(lines) + "\n")


def test_the_written_manifest_is_the_made_one(contract: Contract) -> None:
    tools = load_tools()
    assert [tool["name"] for tool in manifest(contract)] == list(tools)
    assert tools["get_balances"].effect is Effect.READS
    assert tools["place_order"].effect is Effect.ONCE
    assert tools["place_order"].http == {"post": "/api/v1/place-order", "body": "order"}


def test_streams_keys_and_the_agent_itself_are_no_tools() -> None:
    rpcs = {tool.rpc.rpartition("/")[2] for tool in load_tools().values()}
    assert not {name for name in rpcs if name.startswith("Stream")}
    assert not rpcs & {"SaveCredentials", "ListCredentials", "DeleteCredentials"}
    assert not rpcs & {"Chat", "ConfirmOrder", "GetHealth"}


def test_every_argument_is_described_and_every_schema_is_closed() -> None:
    def walk(schema: object, path: str) -> None:
        if isinstance(schema, list):
            for item in schema:
                walk(item, path)
        elif isinstance(schema, dict):
            for name, field in schema.get("properties", {}).items():
                assert field.get("description"), f"{path}.{name}"
                walk(field, f"{path}.{name}")

            if schema.get("type") == "object":
                assert schema["additionalProperties"] is False, path

            walk(schema.get("items"), path)

    for tool in load_tools().values():
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        assert tool.description, tool.name
        walk(tool.input_schema, tool.name)


@pytest.mark.parametrize("name", sorted(load_guide()))
def test_the_guides_requests_are_valid_arguments(contract: Contract, name: str) -> None:
    """And the strict reader makes the request of them, whatever the rpc."""
    method, example = contract.named(name), load_guide()[name]
    tool = load_tools().get(method.snake_name)

    if tool is None or method.http is None:
        assert method.no_tool_because
        return

    arguments = dict(example.get("query", {}))

    if name == "ReplaceOrder":
        arguments["order_id"] = "846283"

    if "body" in example:
        body = example["body"]
        arguments |= body if method.http.body == "*" else {method.http.body: body}

    validator = jsonschema.Draft202012Validator(tool.input_schema)

    if name == "CancelOrder":
        assert [error.validator for error in validator.iter_errors(arguments)] == ["required"]
        return

    assert list(validator.iter_errors(arguments)) == []
    request = GetMessageClass(method.request)()
    strict.read(json.dumps(arguments).encode(), request)
    assert request.ByteSize() > 0 or not arguments


@pytest.mark.parametrize(
    "order",
    [
        {"legs": [], "price": "-1"},
        {"legs": [{"symbol": "SPY"}]},
        {"legs": [{"symbol": "SPY", "action": "Hold"}]},
        {"legs": [{"symbol": "SPY", "action": "Buy", "quantity": -1}]},
        {"legs": [{"symbol": "SPY", "action": "Buy"}], "price": "cheap"},
        {"legs": [{"symbol": "SPY", "action": "Buy"}], "dry_rum": True},
    ],
)
def test_a_wrong_order_is_no_valid_argument(order: object) -> None:
    validator = jsonschema.Draft202012Validator(load_tools()["place_order"].input_schema)
    assert list(validator.iter_errors({"account_id": "A", "order": order})) != []


def test_every_argument_is_bounded() -> None:
    def walk(schema: dict[str, Any], path: str) -> None:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        for kind in kinds:
            match kind:
                case "object":
                    for name, inner in schema["properties"].items():
                        walk(inner, f"{path}.{name}")
                case "array":
                    assert schema["maxItems"] > 0, path
                    walk(schema["items"], f"{path}[]")
                case "string":
                    assert "enum" in schema or {"pattern", "maxLength"} <= schema.keys(), path
                case "number" | "integer" if "string" not in kinds:
                    assert "maximum" in schema, path
                    assert schema.keys() & {"minimum", "exclusiveMinimum"}, path

    for tool in load_tools().values():
        walk(dict(tool.input_schema), tool.name)
