"""The rpcs as tools of language models: made from the contract, read by agent and MCP alike.

No tools are: streams, and rpcs whose policy says why not. Everything else is one without further
ado, so what a tool may do is judged by its effect, never by a list of names.
"""

from __future__ import annotations

__all__ = ["Tool", "load_tools", "manifest"]

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from server.contract.catalog import Contract, Effect, Method
from server.contract.schema import Direction, Schema, Schemas

MANIFEST = Path(__file__).resolve().parents[2] / "gen" / "tools.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool, as the manifest has it."""

    name: str
    """Snake case, such as "get_option_chain"."""

    title: str
    description: str
    input_schema: Mapping[str, Any]
    """JSON Schema of the arguments: the request message, as REST and gRPC have it."""

    rpc: str
    """The gRPC path to call with the arguments, such as "/tasty.v1.AccountService/GetBalances"."""

    http: Mapping[str, str]
    """The REST route in the form of google.api.http: the verb with its path, and body."""

    effect: Effect


def manifest(contract: Contract) -> list[Schema]:
    """Answers the tools of a contract as JSON, in its order."""
    schemas = Schemas(contract, Direction.REQUEST, strict=True, nullable=False)
    return [_tool(method, schemas) for method in contract.methods if _is_tool(method)]


@cache
def load_tools() -> Mapping[str, Tool]:
    """Reads the generated manifest; tools by name, in its order."""
    entries = json.loads(MANIFEST.read_text(encoding="utf-8"))
    tools = [Tool(**{**entry, "effect": Effect(entry["effect"])}) for entry in entries]
    return {tool.name: tool for tool in tools}


def _is_tool(method: Method) -> bool:
    return method.http is not None and not method.streams and not method.no_tool_because


def _tool(method: Method, schemas: Schemas) -> Schema:
    assert method.http is not None  # noqa: S101 - `_is_tool` has looked
    arguments = schemas.message(method.request)
    del arguments["description"]  # what a request is adds nothing to what the tool does
    http = {method.http.verb: method.http.path}

    if method.http.body:
        http["body"] = method.http.body

    return {
        "name": method.snake_name,
        "title": method.title,
        "description": method.comment,
        "input_schema": arguments,
        "rpc": method.path,
        "http": http,
        "effect": method.effect.value,
    }
