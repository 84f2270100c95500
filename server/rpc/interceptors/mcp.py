"""Decides, at each call that a model makes by a tool, whether the server lets it.

The client's own list of tools is no defence: it may have been made when another server answered at
the same address. So the one that would carry the call out looks at its own setting and broker.
"""

from __future__ import annotations

__all__ = ["Mcp"]

from typing import Any, Literal

from server.contract.tools import load_tools
from server.errors import McpNoTool, McpOff, McpReadOnly
from server.rpc.call import Call, Origin
from server.rpc.chain import Body
from server.rpc.methods import Access


class Mcp:
    """Refuses calls of origin MCP beyond `mode`; lets all others pass."""

    def __init__(self, mode: Literal["off", "read", "trade"]) -> None:
        self._mode = mode
        self._tools = frozenset(tool.rpc for tool in load_tools().values())

    async def around(self, call: Call, proceed: Body) -> Any:
        if call.origin is Origin.MCP:
            self._judge(call)

        return await proceed(call)

    def _judge(self, call: Call) -> None:
        method = call.method
        if method.changes:
            if self._mode == "off":
                raise McpOff

            if self._mode == "read":
                raise McpReadOnly(method.name)

            if method.path not in self._tools:
                raise McpNoTool(method.name)

        # What needs no key is open to all, and health is how a client learns the mode.
        elif self._mode == "off" and method.access is not Access.OPEN:
            raise McpOff
