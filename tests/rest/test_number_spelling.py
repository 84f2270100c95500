"""Equal values get equal verdicts, whatever the face; what only looks like a number trades nowhere.

Each spelling of a number goes through every face that takes it: the body of a REST route (as JSON
number and as text), its query, gRPC, gRPC-Web, the REST form of an MCP tool's call and the agent's
tools. What the broker got is looked at afterwards.
"""

from __future__ import annotations

import asyncio
import json
import re
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc.aio
import httpx2
import pytest
import pytest_asyncio
from aiohttp import web
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from tasty.v1 import reference_service_pb2

from server.agent.tools import Tools
from server.contract.catalog import load
from server.contract.tools import load_tools
from server.errors import BadInput
from server.mcp_stdio import rest_call
from server.simulator import Simulator, SimulatorSettings
from server.tenants import DEMO_API_KEY
from tests.effort import one_in
from tests.gateway import Gateway, open_gateway
from tests.meddler import Meddler
from tests.rest.spellings import Number, spellings
from tests.stack import open_edge

ACCOUNT = "5WT00001"
KEY = {"X-API-Key": DEMO_API_KEY.reveal()}
AT_ONCE = 8
HOLE = "@@"
"""Stands in a body where the number goes."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


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

    async def mcp(self, name: str, arguments: Any) -> str:
        """Calls as an MCP client's tool does: by the REST request that it stands for."""
        call = rest_call(load_tools()[name], arguments)
        query = str(httpx2.QueryParams(list(call.query)))
        body = None if call.body is None else json.dumps(call.body)
        return await self.rest(call.method, f"{call.path}?{query}", body)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    folder: Path = tmp_path_factory.mktemp("spelling")
    async with (
        Simulator(SimulatorSettings(port=0)) as sim,
        Recorder(sim.url) as recorder,
        open_gateway(sim, folder, simulator_url=recorder.url) as gateway,
        httpx2.AsyncClient(timeout=30) as http,
    ):
        with open_edge(folder, server_port=gateway.app.grpc_port) as edge:
            expiration, strike = await _option(gateway)
            yield Bench(
                gateway=gateway,
                recorder=recorder,
                http=http,
                url=edge.url,
                expiration=expiration,
                strike=strike,
            )


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


def fields(bench: Bench) -> dict[str, Field]:
    """Returns the numbers that trade, and some that do not."""

    def order(**changes: Any) -> Any:
        leg = {"symbol": "KO", "action": "Buy to Open", "quantity": 1}
        return {
            "account_id": ACCOUNT,
            "order": {"legs": [leg], "price": "-1", "dry_run": True} | changes,
        }

    plain = {"symbol": "KO", "action": "Buy to Open"}
    parts = {"symbol": "SPY", "option_type": "P", "expiration_date": bench.expiration}
    option = {"action": "Buy to Open", "quantity": 1, "strike_price": HOLE, **parts}
    change = {"account_id": ACCOUNT, "order_id": "999999", "change": {"price": HOLE}}
    found = (
        Field(
            name="price",
            tool="place_order",
            arguments=order(price=HOLE),
            number=Number(digits="12", negative=True),
            decimal=True,
            body="order",
            at_broker=lambda sent: [sent.get("price")] if "price" in sent else [],
        ),
        Field(
            name="price",
            tool="replace_order",
            arguments=change,
            number=Number(digits="12", negative=True),
            decimal=True,
            body="change",
            query=f"/api/v1/replace-order/999999?account_id={ACCOUNT}&price={HOLE}",
        ),
        Field(
            name="stop_trigger",
            tool="place_order",
            arguments=order(price=None, order_type="Stop", stop_trigger=HOLE),
            number=Number(digits="912"),
            decimal=True,
            body="order",
            at_broker=lambda sent: [sent["stop-trigger"]],
        ),
        Field(
            name="value",
            tool="place_order",
            arguments=order(price=None, order_type="Notional Market", value=HOLE, legs=[plain]),
            number=Number(digits="52", negative=True),
            decimal=True,
            body="order",
            at_broker=lambda sent: [sent["value"]],
        ),
        Field(
            name="quantity",
            tool="place_order",
            arguments=order(legs=[plain | {"quantity": HOLE}]),
            number=Number(digits="12"),
            body="order",
            at_broker=lambda sent: [each["quantity"] for each in sent["legs"]],
        ),
        Field(
            name="strike_price",
            tool="place_order",
            arguments=order(legs=[option]),
            number=Number(digits=bench.strike),
            body="order",
            at_broker=lambda sent: [int(each["symbol"][-8:]) / 1000 for each in sent["legs"]],
        ),
        Field(
            name="strike_price",
            tool="get_quotes",
            arguments={"instruments": [parts | {"strike_price": HOLE}], "analyze": False},
            number=Number(digits=bench.strike),
            body="instruments",
        ),
        Field(
            name="timeout",
            tool="get_quotes",
            arguments={"instruments": [{"symbol": "SPY"}], "timeout": HOLE, "analyze": False},
            number=Number(digits="12"),
            query=f"/api/v1/quotes?analyze=false&timeout={HOLE}",
        ),
        Field(
            name="days",
            tool="list_transactions",
            arguments={"account_id": ACCOUNT, "days": HOLE},
            number=Number(digits="12", whole=True),
            query=f"/api/v1/transaction-history?account_id={ACCOUNT}&days={HOLE}",
        ),
    )
    return {f"{each.tool}-{each.name}": each for each in found}


NAMES = (
    *("place_order-price", "replace_order-price", "place_order-stop_trigger", "place_order-value"),
    *("place_order-quantity", "place_order-strike_price", "get_quotes-strike_price"),
    *("get_quotes-timeout", "list_transactions-days"),
)
FEWEST = 60


@pytest.mark.parametrize("name", NAMES)
async def test_equal_values_get_equal_verdicts(bench: Bench, name: str) -> None:
    one = fields(bench)[name]
    bench.recorder.orders.clear()
    tried = spellings(one.number)
    assert len(tried) >= FEWEST
    # The prices are tried whole in `make test` too.
    chosen = tried if one.decimal else one_in(2, tried)
    limit = asyncio.Semaphore(AT_ONCE)

    async def verdicts(spelled: str) -> list[str]:
        async with limit:
            return await _wrong_verdicts(bench, one, spelled)

    wrong = [each for found in await asyncio.gather(*map(verdicts, chosen)) for each in found]
    assert wrong == []
    got = [value for order in bench.recorder.orders for value in one.at_broker(order)]
    assert {abs(Decimal(str(value))) for value in got} <= {Decimal(one.number.digits)}
    assert all(re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", str(value), re.ASCII) for value in got)
    assert bool(got) == (one.tool == "place_order")


async def test_every_number_of_the_list_is_there(bench: Bench) -> None:
    assert set(fields(bench)) == set(NAMES)


async def test_what_the_guide_shows_is_accepted(bench: Bench) -> None:
    leg = '{"symbol": "SPY", "option_type": "P", "action": "Buy to Open", "quantity": 1, '
    leg += f'"strike_price": {bench.strike}.0, "expiration_date": "{bench.expiration}"}}'
    path = f"/api/v1/place-order?account_id={ACCOUNT}"
    for price in ("-4.50", '"-4.50"', "null", "-4.5e0"):
        body = f'{{"legs": [{leg}], "price": {price}, "time_in_force": "Day", "dry_run": true}}'
        assert await bench.rest("POST", path, body) == "", price


async def _wrong_verdicts(bench: Bench, one: Field, spelled: str) -> list[str]:
    """Sends one spelling through every face; returns what did not answer as it should."""
    text, number = one.number.is_text(spelled), one.number.is_number(spelled)
    wrong = []
    for face, accepted, call in _faces(bench, one, spelled, text=text, number=number):
        words = await call
        if accepted == bool(words):
            verdict = f"refused with {words!r}" if words else "accepted"
            wrong.append(f"{face}: {spelled!r} was {verdict}")
        elif words:
            assert "500" not in words
            assert len(words) < 300

    return wrong


Faces = Iterable[tuple[str, bool, Awaitable[str]]]


def _faces(bench: Bench, one: Field, spelled: str, *, text: bool, number: bool) -> Faces:
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
        yield "MCP, text", json_text, bench.mcp(one.tool, as_text)
    else:
        yield "MCP, text", text, bench.mcp(one.tool, as_text)

    # Numbers, as far as a JSON parser took it for one.
    if isinstance(value, (int, float)) and value:  # 1e-400 is 0 to the parser, and no typo then
        left = one.number.is_number(json.dumps(value))  # the parser knows no trailing zeros
        yield "tool, number", left, bench.tool(one.tool, _filled(one.arguments, value))
        yield "MCP, number", left, bench.mcp(one.tool, _filled(one.arguments, value))

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


async def _option(gateway: Gateway) -> tuple[str, str]:
    """Returns an expiration and a whole strike that are listed."""
    request = reference_service_pb2.GetOptionChainRequest(
        symbol="SPY", min_dte=20, option_type="P", all_options=False
    )
    chain = await gateway.demo.reference.GetOptionChain(request)
    day = min(chain.expiration_dates)
    assert date.fromisoformat(day) > date.today() - timedelta(days=3650)
    strikes = [each for each in chain.chain[day].strikes if each == int(each) and each >= 100]
    return day, str(int(strikes[len(strikes) // 2]))
