"""Every face of the server that takes a number, and what passes from there to the broker."""

from __future__ import annotations

__all__ = ["ACCOUNT", "HOLE", "KEY", "Bench", "Field", "Recorder", "faces"]

import json
import struct
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import grpc.aio
import httpx2
from aiohttp import web
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from server.agent.tools import Tools
from server.contract.catalog import load
from server.contract.tools import load_tools
from server.errors import BadInput
from server.mcp_arguments import checked, rest_call
from server.mcp_lines import Unreadable, exact, text_of
from server.tenants import DEMO_API_KEY
from tests.gateway import Gateway
from tests.meddler import Meddler
from tests.rest.spellings import Number

ACCOUNT = "5WT00001"
KEY = {"X-API-Key": DEMO_API_KEY.reveal()}
HOLE = "@@"
"""Stands in a body where the number goes."""


class Recorder(Meddler):
    """The way to the broker, which keeps every order that passes."""

    def __init__(self, broker_url: str) -> None:
        super().__init__(broker_url)
        self.orders: list[Any] = []

    async def _carried(self, request: web.Request) -> web.Response:
        if request.method != "GET" and "/orders" in request.path:
            self.orders.append(await request.json())
        return await super()._carried(request)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """All faces of one server."""

    gateway: Gateway
    recorder: Recorder
    http: httpx2.AsyncClient
    url: str
    expiration: str
    strike: str

    async def rest(self, verb: str, path: str, body: str | None = None) -> str:
        """Returns how a REST call was refused; "" if it was not."""
        answer = await self.http.request(
            verb,
            self.url + path,
            content=None if body is None else body.encode(),
            headers=KEY | {"content-type": "application/json"},
        )
        assert answer.status_code < 500, answer.text
        return answer.json()["detail"] if answer.status_code == 400 else ""

    async def grpc(self, path: str, request: Message) -> str:
        try:
            metadata = (("x-api-key", KEY["X-API-Key"]),)
            call = self.gateway.channel.unary_unary(path)
            await call(request.SerializeToString(), metadata=metadata)
        except grpc.aio.AioRpcError as error:
            return _refusal(error.code().name, str(error.details()))

        return ""

    async def grpc_web(self, path: str, request: Message) -> str:
        data = request.SerializeToString()
        kind = {"content-type": "application/grpc-web+proto"}
        answer = await self.http.post(
            self.url + path, content=struct.pack(">BI", 0, len(data)) + data, headers=KEY | kind
        )
        status = answer.headers.get("grpc-status", "0")
        return answer.headers["grpc-message"] if status == "3" else ""

    async def tool(self, name: str, arguments: Any) -> str:
        """Calls as the agent does: the arguments read by its tools, the rpc as the tenant."""
        tool = load_tools()[name]
        try:
            request = Tools(load_tools(), load(), rpcs=None).request(tool, arguments)  # type: ignore[arg-type]  # nothing is called through it
        except BadInput as error:
            return str(error)

        return await self.grpc(tool.rpc, request)

    async def mcp(self, name: str, arguments: str) -> str:
        """Calls as a tool does over stdio: by the REST request that it stands for."""
        tool = load_tools()[name]
        try:
            line = text_of(exact(arguments.encode()))
            call = rest_call(tool, checked(tool, line.encode()))
        except (BadInput, Unreadable) as error:
            return str(error)

        query = str(httpx2.QueryParams(list(call.query)))
        body = None if call.body is None else json.dumps(call.body)
        return await self.rest(call.method, f"{call.path}?{query}", body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One number of a request, and how it gets there."""

    name: str
    tool: str
    arguments: Any
    """The arguments of the tool, with HOLE where the number goes: gRPC's request, too."""
    number: Number
    decimal: bool = False
    """Whether it is a decimal, which JSON may have as text too."""
    body: str = ""
    """The argument that is the body of the REST route; "" if the number is in the query."""
    query: str = ""
    """A REST path with HOLE, where the number may be in a query."""
    at_broker: Callable[[Any], Iterable[object]] = field(default=lambda _order: ())
    """Where it is in what the broker gets."""


Faces = Iterable[tuple[str, bool, Awaitable[str]]]
"""Name, verdict, and a call that returns how it was refused."""


def faces(bench: Bench, one: Field, spelled: str, *, text: bool, number: bool) -> Faces:
    """Yields each face, whether it should accept the spelling, and the call to be awaited.

    `text` and `number` say whether the spelling is the number as a text, and in JSON.
    """
    tool = load_tools()[one.tool]
    rpc = load().method(tool.rpc)
    assert rpc is not None
    as_text = _filled(one.arguments, spelled)
    try:
        value: Any = json.loads(spelled)
    except ValueError:
        value = None

    # Texts: what is a text in the contract, and a text for a number in JSON.
    json_text = text if one.decimal else False
    yield "tool, text", json_text, bench.tool(one.tool, as_text)
    if one.query:
        encoded = one.query.replace(HOLE, _percent(spelled))
        body = {"place_order": None, "get_quotes": '[{"symbol": "SPY"}]'}.get(one.tool)
        verb = "GET" if one.tool.startswith("list") else "POST"
        yield "REST, query", text, bench.rest(verb, encoded, body)
    if one.body:
        path = _path(one)
        written = json.dumps(one.arguments[one.body])
        quoted = written.replace(f'"{HOLE}"', json.dumps(spelled))
        raw = written.replace(f'"{HOLE}"', spelled)
        yield "REST, text", json_text, bench.rest("POST", path, quoted)
        yield "REST, number", number, bench.rest("POST", path, raw)

    written = json.dumps(one.arguments)
    quoted = written.replace(f'"{HOLE}"', json.dumps(spelled))
    yield "MCP, text", json_text, bench.mcp(one.tool, quoted)
    yield "MCP, number", number, bench.mcp(one.tool, written.replace(f'"{HOLE}"', spelled))

    # Numbers, as far as a JSON parser took it for one.
    if isinstance(value, (int, float)) and value:  # 1e-400 is 0 to the parser, and no typo then
        left = one.number.is_number(json.dumps(value))  # the parser knows no trailing zeros
        yield "tool, number", left, bench.tool(one.tool, _filled(one.arguments, value))

    if one.decimal or number:
        request: Message = GetMessageClass(rpc.request)()
        ParseDict(_filled(one.arguments, spelled if one.decimal else value), request)
        accepted = text if one.decimal else number
        yield "gRPC", accepted, bench.grpc(tool.rpc, request)
        yield "gRPC-Web", accepted, bench.grpc_web(tool.rpc, request)


def _path(one: Field) -> str:
    if one.tool == "replace_order":
        return f"/api/v1/replace-order/999999?account_id={ACCOUNT}"
    if one.tool == "place_order":
        return f"/api/v1/place-order?account_id={ACCOUNT}"
    return "/api/v1/quotes?analyze=false"


def _filled(arguments: Any, value: Any) -> Any:
    """Returns the arguments with the value where the hole was."""
    match arguments:
        case dict():
            return {name: _filled(inner, value) for name, inner in arguments.items()}
        case list():
            return [_filled(inner, value) for inner in arguments]
        case _:
            return value if arguments == HOLE else arguments


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def _refusal(code: str, words: str) -> str:
    assert code not in ("INTERNAL", "UNKNOWN"), words
    return words if code == "INVALID_ARGUMENT" else ""
