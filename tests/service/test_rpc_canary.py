"""Row 8 of the promises: no secret leaves, not even at debug level and not even in failures.

Every secret of this server is a canary; then everything that can be called is called, with success,
with refusals, with a revoked grant and with a broker that is away; then all that the server wrote
or answered is searched.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
import structlog
from tasty.v1 import account_service_pb2 as accounts_pb
from tasty.v1 import credentials_service_pb2 as credentials_pb
from tasty.v1 import market_data_service_pb2 as market_pb
from tasty.v1 import market_data_stream_pb2 as stream_pb
from tasty.v1 import order_service_pb2 as orders_pb
from tasty.v1 import system_service_pb2 as system_pb
from tasty.v1.credentials_service_pb2_grpc import CredentialsServiceStub
from tasty.v1.system_service_pb2_grpc import SystemServiceStub

from server import logs
from server.brokerage.session import BrokerSession
from server.rpc.methods import contract_methods
from server.secret import Secret
from server.settings import Settings
from server.simulator import Simulator, SimulatorSettings
from tests.front import KEY, metrics_page, open_front, rpc
from tests.gateway import Gateway, open_gateway

ADMIN_KEY = "canary-admin-4c1f0a9d7e"
API_KEY = "canary-apikey-93b1f7c2d0"
REVOKED_KEY = "canary-apikey-of-a-revoked-grant"
WRONG_KEY = "canary-apikey-that-nobody-has"
CLIENT_SECRET = "canary-client-secret-51d2"
REFRESH_TOKEN = "canary-refresh-token-8e77"
REVOKED_TOKEN = "canary-revoked-refresh-token-03aa"
SECRETS = (
    ADMIN_KEY,
    API_KEY,
    REVOKED_KEY,
    WRONG_KEY,
    CLIENT_SECRET,
    REFRESH_TOKEN,
    REVOKED_TOKEN,
)


@pytest.fixture(params=["json", "console"])
def written(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Everything that is logged, at debug level; logging is as before afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("server")
    before = (root.handlers[:], root.level, ours.level, structlog.get_config())
    stream = io.StringIO()
    logs.configure(Settings(log_level="debug", log_format=request.param), stream)
    yield stream
    root.handlers[:], level, our_level, config = before
    root.setLevel(level)
    ours.setLevel(our_level)
    structlog.configure(**config)


async def test_no_secret_leaves(written: io.StringIO, tmp_path: Path) -> None:
    async with Simulator(SimulatorSettings(port=0)) as sim:
        async with open_gateway(sim, tmp_path, admin_key=ADMIN_KEY) as gateway:
            answers = [
                *await register(gateway),
                *await call_everything(gateway, API_KEY),
                *await call_everything(gateway, REVOKED_KEY),
                *await call_everything(gateway, WRONG_KEY),
                *await fail_strangely(gateway),
                *await follow_streams(gateway),
            ]
            tokens = await broker_tokens(gateway)
            sim_url = sim.url
            answers.append(await metrics_page(gateway.app.metrics_port))

        answers += await with_the_broker_away(tmp_path, sim_url)

    assert sum("OK" in answer for answer in answers) > 5
    assert any("UNAUTHENTICATED" in answer for answer in answers)
    # SaveCredentials answers with the key that it was given, as the guide wants it.
    told = "\n".join(answer for answer in answers if not answer.startswith("saved "))
    log = written.getvalue()
    assert log.count("\n") > 50
    for secret in (*SECRETS, *tokens):
        assert secret not in log
        assert secret not in told

    stored = everything_in(tmp_path)
    assert len(stored) > 10_000
    for secret in (*SECRETS, *tokens):
        assert secret.encode() not in stored


@pytest.mark.parametrize(
    "words",
    [
        f"refresh_token={REFRESH_TOKEN}&grant_type=refresh_token",
        f"Client error for {{'client_secret': '{CLIENT_SECRET}'}}",
        f"no session for {KEY}",
        f"headers [(b'Authorization', b'Bearer {REFRESH_TOKEN}')]",
    ],
)
async def test_an_exception_that_quotes_a_secret_is_logged_without_it(
    written: io.StringIO, words: str
) -> None:
    async def fail(_request: Any, _context: Any) -> Any:
        raise ValueError(words)

    async with open_front(rpc("Do", fail)) as running:
        answer = await outcome(running.unary("Do")())

    log = written.getvalue()
    assert "Traceback" in log
    assert "ValueError" in log
    for secret in (KEY, *SECRETS):
        assert secret not in log
        assert secret not in answer


async def register(gateway: Gateway) -> list[str]:
    stub = CredentialsServiceStub(gateway.channel)
    answers = []
    for api_key, token in ((API_KEY, REFRESH_TOKEN), (REVOKED_KEY, REVOKED_TOKEN)):
        request = credentials_pb.SaveCredentialsRequest(
            api_key=api_key, client_secret=CLIENT_SECRET, refresh_token=token
        )
        admin = (("x-admin-key", ADMIN_KEY),)
        answers.append("saved " + await outcome(stub.SaveCredentials(request, metadata=admin)))
        answers.append(
            await outcome(stub.SaveCredentials(request, metadata=(("x-admin-key", "x"),)))
        )

    short = credentials_pb.SaveCredentialsRequest(
        api_key=API_KEY[:7] + "!", client_secret=CLIENT_SECRET, refresh_token=REFRESH_TOKEN
    )
    answers.append(await outcome(stub.SaveCredentials(short)))
    listed = stub.ListCredentials(
        credentials_pb.ListCredentialsRequest(), metadata=(("x-admin-key", ADMIN_KEY),)
    )
    answers.append(await outcome(listed))
    return answers


async def call_everything(gateway: Gateway, api_key: str) -> list[str]:
    """Calls every unary rpc with a request that says little, and some with one that is right."""
    key = (("x-api-key", api_key),)
    answers = []
    for number, method in enumerate(contract_methods()):
        if not method.streaming and method.name not in ("SaveCredentials", "DeleteCredentials"):
            call = gateway.channel.unary_unary(method.path)
            # From an address of its own each, or wrong keys would be slowed.
            address = ("x-tasty-address", f"192.0.2.{number}")
            answers.append(await outcome(call(b"", metadata=(*key, address), timeout=20)))

    caller = gateway.caller(api_key)
    balances = caller.accounts.GetBalances(accounts_pb.GetBalancesRequest(account_id="5WT00001"))
    quotes = caller.market.GetQuotes(
        market_pb.GetQuotesRequest(instruments=[{"symbol": "SPY"}]), timeout=20
    )
    return [*answers, await outcome(balances), await outcome(quotes)]


async def fail_strangely(gateway: Gateway) -> list[str]:
    """Sends what no client of ours would: bytes that are no message, secrets in odd places."""
    key = (("x-api-key", API_KEY),)
    health = gateway.channel.unary_unary("/tasty.v1.SystemService/GetHealth")
    time = gateway.channel.unary_unary("/tasty.v1.SystemService/GetCurrentTime")
    twice = (*key, ("x-api-key", REVOKED_KEY))
    strange = (*key, ("x-request-id", f"authorization: Bearer {CLIENT_SECRET}"))
    system = SystemServiceStub(gateway.channel)
    return [
        await outcome(health(b"\xff" + CLIENT_SECRET.encode())),
        await outcome(time(b"", metadata=twice)),
        await outcome(time(b"", metadata=strange)),
        await outcome(system.GetHealth(system_pb.GetHealthRequest(), metadata=key)),
    ]


async def follow_streams(gateway: Gateway) -> list[str]:
    """Opens what logs in at the broker's two streamers, whose SDK prints their tokens at DEBUG."""
    session = await broker_session(gateway)
    (account, *_) = await session.accounts()
    caller = gateway.caller(API_KEY)
    events = orders_pb.StreamAccountEventsRequest(account_id=account.number)
    quotes = stream_pb.StreamQuotesRequest(symbols=["SPY"])
    answers = []
    for stream in (caller.orders.StreamAccountEvents(events), caller.market.StreamQuotes(quotes)):
        answers.append(f"OK {await stream.read()!r}")
        stream.cancel()
    return answers


async def broker_tokens(gateway: Gateway) -> list[str]:
    """Returns what the session carries now: the access token of the simulator."""
    token = (await broker_session(gateway)).sdk.session_token
    assert len(token) > 10
    return [token]


async def broker_session(gateway: Gateway) -> BrokerSession:
    tenant = await gateway.app.tenants.authenticate(Secret(API_KEY))
    return await gateway.app.brokerage.session(tenant)


async def with_the_broker_away(folder: Path, simulator_url: str) -> list[str]:
    """The same folder, a moment later, with nobody at the broker's address."""

    class Nobody:
        url = "http://127.0.0.1:9"

    assert simulator_url != Nobody.url
    async with open_gateway(Nobody(), folder) as gateway:  # type: ignore[arg-type]  # only its address is asked for
        return await call_everything(gateway, API_KEY)


def everything_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


async def outcome(call: Any) -> str:
    """Returns all that the caller gets to see."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        trailing = error.trailing_metadata()
        return f"{error.code()} {error.details()} {trailing} {error.debug_error_string()}"
    return f"OK {answer!r} {await call.initial_metadata()} {await call.trailing_metadata()}"
