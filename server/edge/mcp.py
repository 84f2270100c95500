"""MCP at the edge: Envoy's bridge turns calls of tools into the REST requests that they are.

The tools are those of the manifest, which is made from the contract. The list of them is a file
that the bridge fetches from a route beside it, since its own list has no place for annotations, by
which a client knows what it should ask its user about. Envoy calls the bridge unfinished work, and
it drops names with a dot, drops empty objects and takes the last of doubled keys: what reaches the
server may not be what the caller wrote. So only tools that read pass here, whatever TASTY_MCP says,
and with a real broker none unless it says so. Tools that change something are for stdio
(server/mcp_stdio.py), which checks every argument.
"""

from __future__ import annotations

__all__ = ["MCP_PATH", "listed", "mcp_filters", "mcp_routes", "offered", "offered_over_http"]

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from server.contract.catalog import Effect
from server.contract.tools import Tool, load_tools
from server.settings import Settings

SCRIPT = Path(__file__).parents[2] / "envoy" / "mcp.lua"
MCP_PATH = "/mcp"
LIST_PATH = "/mcp/tools"
"""Where the bridge gets the answer to `tools/list`; open to all, as the API description is."""
TYPES = "type.googleapis.com/envoy.extensions.filters.http"
NEWEST_VERSION = "2025-11-25"
"""The newest version of the protocol that the official clients and this bridge agree on."""
LARGEST_ANSWER = 4 << 20
"""Bytes of a tool's answer: what is more is not for a model."""
SERVED = {"filter_metadata": {"unmatched": {"served": True}}}
"""Tells unmatched.lua that its route answers by itself."""
POST_ONLY = {"unmatched": {"allow": "POST"}}
LOOPBACK = ("localhost", "127.0.0.1", "::1")
ANY_ADDRESS = ("0.0.0.0", "::")


def offered(mode: str) -> tuple[Tool, ...]:
    """Returns the tools of a mode: none ("off"), those that read ("read"), all ("trade")."""
    if mode == "off":
        return ()

    tools = load_tools().values()
    return tuple(tool for tool in tools if mode == "trade" or tool.effect is Effect.READS)


def offered_over_http(settings: Settings) -> tuple[Tool, ...]:
    """Returns the tools at /mcp, which only read; none means that there is no /mcp."""
    if settings.mcp == "auto" and settings.broker != "simulator":
        return ()

    return offered("off" if settings.mcp == "off" else "read")


def mcp_filters(tools: Iterable[Tool], *, body_limit: int) -> list[object]:
    """Returns the bridge with the script around it; nothing where there are no tools."""
    configured = [{"name": tool.name, "http_rule": dict(tool.http)} for tool in tools]
    if not configured:
        return []

    return [
        {
            "name": "mcp",
            "typed_config": {
                "@type": f"{TYPES}.lua.v3.Lua",
                "default_source_code": {"filename": str(SCRIPT)},
            },
        },
        {
            "name": "envoy.filters.http.mcp_json_rest_bridge",
            "typed_config": {
                "@type": f"{TYPES}.mcp_json_rest_bridge.v3.McpJsonRestBridge",
                "server_info": {
                    "description": "A gateway to a tastytrade account.",
                    "max_supported_protocol_version": NEWEST_VERSION,
                },
                "tool_config": {
                    "default_server_info": {"path": MCP_PATH},
                    "tools": configured,
                    "tool_list_http_rule": {"get": LIST_PATH},
                },
                "max_request_body_size": body_limit,
                "max_response_body_size": LARGEST_ANSWER,
            },
        },
    ]


def mcp_routes(tools: Iterable[Tool], settings: Settings) -> list[object]:
    """Returns the routes of the endpoint and of the list of tools; none where there are none."""
    entries = [listed(tool) for tool in tools]
    if not entries:
        return []

    limited = {
        "envoy.filters.http.body_size_limit": {
            "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
            "config": {},
        }
    }
    answer = json.dumps({"tools": entries}, ensure_ascii=False)
    return [
        {
            "name": MCP_PATH,
            "match": {"path": MCP_PATH},
            "route": {"cluster": "server"},
            "metadata": {"filter_metadata": {**POST_ONLY, "mcp": _names(settings)}},
            "typed_per_filter_config": limited,
        },
        {
            "name": LIST_PATH,
            "match": {"path": LIST_PATH},
            "direct_response": {"status": 200, "body": {"inline_string": answer}},
            "response_headers_to_add": [
                {"header": {"key": "content-type", "value": "application/json"}}
            ],
            "metadata": SERVED,
        },
    ]


def _names(settings: Settings) -> Mapping[str, Mapping[str, bool]]:
    """Returns under which hosts /mcp may be called, and from pages of which origins (see mcp.lua).

    A web page that a person visits can make a name of its own point to this machine, and then is of
    the same origin as the gateway as far as the browser knows. It cannot choose the name.
    """
    own = [] if settings.host in ANY_ADDRESS else [settings.host]
    public = [name.strip().lower() for name in settings.public_names.split(",")]
    origins = [origin.strip().lower() for origin in settings.cors_origins.split(",")]
    return {
        "hosts": {name: True for name in (*LOOPBACK, *own, *public) if name},
        "origins": {origin: True for origin in origins if origin not in ("", "*")},
    }


def listed(tool: Tool) -> Mapping[str, Any]:
    """Returns a tool as MCP lists it."""
    reads = tool.effect is Effect.READS
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": tool.input_schema,
        "annotations": {
            "title": tool.title,
            "readOnlyHint": reads,
            "destructiveHint": not reads,
            "idempotentHint": tool.effect is not Effect.ONCE,
            "openWorldHint": True,
        },
    }
