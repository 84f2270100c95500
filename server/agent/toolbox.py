"""Runs the tools that a model called, side by side, each under the guard.

Whatever goes wrong in a tool is told to the model as its result: one tool that fails does not end
the chat. What the model wrote as arguments is read here for the first time, and not believed.
"""

from __future__ import annotations

__all__ = ["Toolbox", "Toolrun"]

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict

from server.agent.chat_events import Tell, TicketMade, ToolCall, ToolFinished, ToolStarted
from server.agent.confirmation import Confirmation
from server.agent.guard import Permission, permission
from server.agent.ticket_preparer import Preparation
from server.agent.tickets import LIFETIME, Ticket
from server.agent.tools import ToolResult, Tools, TooMuch, as_data, as_text, written_of
from server.clock import Clock
from server.contract.catalog import Effect
from server.contract.tools import Tool
from server.errors import GatewayError
from server.tenants import Tenant

MOST_AT_ONCE = 16
PREPARES = " Calling it only prepares: the user must confirm with a code before anything happens."
PREPARED = (
    "Prepared, not done. The server shows the user exactly this and a code that carries it out; "
    "you do not see the code and cannot confirm."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolrun:
    """One call, finished."""

    call: ToolCall
    result: ToolResult
    ticket: Ticket | None = None

    @property
    def block(self) -> dict[str, Any]:
        """The content block that the model gets."""
        return {
            "type": "tool_result",
            "tool_use_id": self.call.id,
            "content": self.result.text,
            "is_error": self.result.failed,
        }


class Toolbox:
    """The tools as one operator's setting allows them."""

    def __init__(
        self,
        tools: Tools,
        preparation: Preparation,
        confirmation: Confirmation,
        trading: str,
        clock: Clock,
    ) -> None:
        self._tools = tools
        self._preparation = preparation
        self._confirmation = confirmation
        self._trading = trading
        self._clock = clock
        self.offered: tuple[Mapping[str, Any], ...] = tuple(
            _offer(tool, trading)
            for tool in tools.all()
            if trading != "off" or tool.effect is Effect.READS
        )
        """What the model is told of: always the same, so that it can be cached."""

    async def run(
        self, tenant: Tenant, blocks: Sequence[Mapping[str, Any]], tell: Tell
    ) -> list[Toolrun]:
        """Runs the calls of one turn and returns them in their order; never raises for a tool."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._run(tenant, block, tell, index))
                for index, block in enumerate(blocks)
            ]

        return [task.result() for task in tasks]

    async def _run(
        self, tenant: Tenant, block: Mapping[str, Any], tell: Tell, index: int
    ) -> Toolrun:
        name, arguments = str(block.get("name")), block.get("input")
        written = written_of(arguments)
        call = ToolCall(id=str(block.get("id")), name=name, arguments=written)
        began = self._clock.monotonic()
        tell(ToolStarted(call))
        ticket: Ticket | None = None
        error = ""
        try:
            text, ticket = await self._result(tenant, name, arguments, index)
        except (GatewayError, TooMuch, NotRun) as failure:
            error = str(failure)
            text = as_data(name, error)
        except Exception:  # noqa: BLE001 - a broken tool is in the log by now; the chat goes on
            error = f"{name} failed inside the server."
            text = error

        call = replace(
            call, failed=bool(error), error=error, elapsed_s=self._clock.monotonic() - began
        )
        tell(ToolFinished(call))
        if ticket is not None:
            tell(TicketMade(ticket))

        return Toolrun(call=call, result=ToolResult(text=text, failed=bool(error)), ticket=ticket)

    async def _result(
        self, tenant: Tenant, name: str, arguments: Any, index: int
    ) -> tuple[str, Ticket | None]:
        if index >= MOST_AT_ONCE:
            raise NotRun(f"More than {MOST_AT_ONCE} calls at once; call the rest again.")

        tool = self._tools.get(name)
        if tool is None or not isinstance(arguments, Mapping):
            raise NotRun("There is no such tool." if tool is None else "The input is no object.")

        request = self._tools.request(tool, arguments)
        match permission(tool, request, self._trading):
            case Permission.REFUSE:
                raise NotRun("Trading by chat is off; the user can use the API itself.")
            case Permission.TICKET:
                ticket = await self._preparation.ticket(tenant, tool, request)
                return f"{PREPARED}\n{as_data(name, _shown(ticket))}", ticket
            case Permission.RUN:
                return as_data(name, await self._tools.read(tool, request)), None
            case Permission.AT_ONCE:
                answer = await self._confirmation.at_once(tool, request)
                return as_data(name, as_text(answer)), None


class NotRun(Exception):
    """A call that was not even tried."""


def _offer(tool: Tool, trading: str) -> dict[str, Any]:
    prepares = trading == "confirm" and tool.effect is not Effect.READS
    return {
        "name": tool.name,
        "description": tool.description + (PREPARES if prepares else ""),
        "input_schema": tool.input_schema,
    }


def _shown(ticket: Ticket) -> str:
    preview = ticket.preview
    told: dict[str, Any] = {
        "ticket": ticket.tool.name,
        "summary": ticket.summary,
        "account_id": ticket.account_id,
        "expires_in_seconds": LIFETIME.total_seconds(),
    }
    if preview is not None:
        fields = MessageToDict(preview, preserving_proto_field_name=True)
        wanted = ("price", "pricing", "buying_power_effect", "fee_calculation", "warnings")
        told |= {name: fields[name] for name in wanted if name in fields}

    return orjson.dumps(told).decode()
