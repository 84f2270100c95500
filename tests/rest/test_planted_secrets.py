"""Twenty planted secrets, a whole gateway that is used well and badly, and a search for them.

Searched are the processes' command lines and the environment of those that need no secret, the
logs at debug level, the data folder with database, write-ahead log and Envoy's configuration (or
PostgreSQL's tables), the metrics and admin pages, and every answer but those that must repeat what
they were given.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import grpc
import pytest
import requests
from tasty.v1 import account_service_pb2, account_service_pb2_grpc

from server.simulator import Simulator, SimulatorSettings
from server.simulator.faults import Fault
from tests.databases import postgres  # noqa: F401 - a fixture
from tests.planted import hits
from tests.stack import Gateway, in_background, run_gateway

ORDER_NAME = "name of an order"
"""No secret: it opens nothing, its owner and the broker are told it, and the operator finds an
order by it in the journal and in the log. It must not be anywhere else."""
A_KEY, B_KEY, ADMIN = "key of the first tenant", "key of the second", "administrator's key"
ECHOED = (ORDER_NAME, "too long a name of an order", "secret in a request id", "code of a ticket")
"""What an answer to its own sender may repeat."""
NEEDS_SECRETS = ("server up", "server serve")
"""The programs whose environment holds the secrets: the supervisor's and the server's."""
CHAT_S = 30


def key(number: int) -> str:
    return f"{secrets.token_hex(4)}-planted-{number:02}-{secrets.token_hex(12)}"


def of_32_bytes() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """The secrets by what they are."""

    given: Mapping[str, str] = field(
        default_factory=lambda: (
            {
                name: key(number)
                for number, name in enumerate(
                    (
                        *(A_KEY, "client secret", "refresh token"),
                        *(B_KEY, "client secret of the second", "refresh token of the second"),
                        *(ADMIN, "model key", "database password"),
                        *("revoked refresh token", "key that nobody has", "wrong admin key"),
                        *("bearer of a header", "secret in a query", "secret in a path"),
                        *("secret in broken JSON", "secret of a wrong type", "secret over gRPC"),
                        *("secret in a request id", "secret over MCP", "secret that is too long"),
                        *("words in a chat", "too long a name of an order", ORDER_NAME),
                    )
                )
            }
            | {"pepper": of_32_bytes(), "master key": of_32_bytes()}
        )
    )
    found: dict[str, str] = field(default_factory=dict)
    """Those that the gateway or the broker made: access and quote tokens, a ticket's code."""

    def __getitem__(self, name: str) -> str:
        return self.given[name]

    def all(self, *, without: tuple[str, ...] = ()) -> tuple[str, ...]:
        every = {**self.given, **self.found}
        return tuple(value for name, value in every.items() if name not in without)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who uses the gateway, well and badly, and keeps what it answered."""

    gateway: Gateway
    planted: Planted
    http: requests.Session
    told: list[str] = field(default_factory=list)

    def send(
        self, method: str, path: str, api_key: str | None = None, *, echo: bool = False, **more: Any
    ) -> requests.Response:
        """Sends a request; an answer that must repeat what it was given (`echo`) is not kept."""
        headers = {**more.pop("headers", {})}
        if api_key is not None:
            headers["X-API-Key"] = api_key

        answer = self.http.request(
            method, self.gateway.url + path, headers=headers, timeout=CHAT_S, **more
        )
        if not echo:
            self.told.append(f"{method} {answer.status_code} {answer.headers} {answer.text}")

        return answer

    def first_lines(self, path: str, api_key: str) -> None:
        """Opens an event stream and reads its beginning."""
        headers = {"X-API-Key": api_key}
        url = self.gateway.url + path
        with self.http.get(url, headers=headers, stream=True, timeout=CHAT_S) as answer:
            self.told.append(str(next(answer.iter_lines())))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a PostgreSQL place, or nothing for SQLite."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres")())


@contextmanager
def running(folder: Path, planted: Planted, url: str, sim: Simulator) -> Iterator[Gateway]:
    settings: dict[str, object] = {
        "simulator_url": sim.url,
        "anthropic_url": f"{sim.url}/anthropic",
        "anthropic_api_key": planted["model key"],
        "admin_key": planted[ADMIN],
        "pepper": planted["pepper"],
        "master_key": planted["master key"],
        "log_level": "debug",
        "rate_limit": 0,
        "mcp": "trade",
    }
    if url:
        settings["database_url"] = url.replace("@/", f":{planted['database password']}@/")

    with run_gateway(folder, **settings) as gateway:
        yield gateway


def test_no_planted_secret_is_found(tmp_path: Path, database_url: str) -> None:
    planted = Planted()
    assert len(planted.given) >= 20
    sim = Simulator(SimulatorSettings())
    with (
        in_background(sim),
        running(tmp_path, planted, database_url, sim) as gateway,
        requests.Session() as http,
    ):
        user = User(gateway=gateway, planted=planted, http=http)
        register(user)
        account, others = ordinary(user)
        planted.found.update(made(sim))
        bad(user, account)
        over_grpc(user)
        broken_days(user, sim, account)
        pages = pages_of(user)
        processes = dict(processes_of(gateway.process.pid))
        files = contents(tmp_path)  # while it runs: the write-ahead log is a file, too
        output = "\n".join(gateway.output)

    assert_processes(processes, planted)
    everything = planted.all()
    kept_secret = planted.all(without=(ORDER_NAME,))
    assert not hits(output.encode(), *kept_secret)
    for name, content in (files | contents(tmp_path)).items():
        assert not hits(content, *kept_secret), name

    assert any(b"debug" in content for name, content in files.items() if "logs" in name)
    if database_url:
        rows = asyncio.run(rows_of(database_url))
        assert len(rows) > 1_000
        assert not hits(rows, *kept_secret)
    else:
        assert {"tasty.db", "tasty.db-wal"} <= {Path(name).name for name in files}

    for page in pages:
        assert not hits(page.encode(), *everything, *others)

    told = "\n".join(user.told).encode()
    assert not hits(told, *planted.all(without=ECHOED))
    assert not hits(told, *others)


def register(user: User) -> None:
    """Registers two tenants and one whose grant is revoked, as the administrator and as nobody."""
    planted = user.planted
    admin = {"X-Admin-Key": planted[ADMIN]}
    first = body(planted[A_KEY], planted["client secret"], planted["refresh token"])
    second = body(
        planted[B_KEY],
        planted["client secret of the second"],
        planted["refresh token of the second"],
    )
    for given in (first, second):
        answer = user.send("POST", "/api/v1/credentials", json=given, headers=admin, echo=True)
        assert answer.status_code == 200, answer.text

    refused = user.send("POST", "/api/v1/credentials", json=body(key(0), key(0), key(0)))
    assert refused.status_code == 403
    wrong = {"X-Admin-Key": planted["wrong admin key"]}
    assert user.send("GET", "/api/v1/credentials", headers=wrong).status_code in (401, 403)
    assert user.send("GET", "/api/v1/credentials", headers=admin).status_code == 200
    revoked = body(planted[B_KEY] + "-revoked", "x", planted["revoked refresh token"] + "-revoked")
    user.send("POST", "/api/v1/credentials", json=revoked, headers=admin, echo=True)
    user.send("GET", "/api/v1/balances?account_id=x", planted[B_KEY] + "-revoked")


def ordinary(user: User) -> tuple[str, tuple[str, ...]]:
    """Does what users do; returns the first tenant's account, and the numbers of the second's."""
    planted, api_key = user.planted, user.planted[A_KEY]
    account = account_of(user, api_key)
    other = account_of(user, planted[B_KEY], echo=True)
    query = f"?account_id={account}"
    for path in ("balances", "positions", "live-orders", "transaction-history"):
        assert user.send("GET", f"/api/v1/{path}{query}", api_key).status_code == 200

    user.send("POST", "/api/v1/quotes", api_key, json=[{"symbol": "SPY"}])
    user.send("GET", "/api/v1/watchlists", api_key)
    placed = user.send(
        "POST",
        f"/api/v1/place-order{query}",
        api_key,
        json={
            "legs": [{"symbol": "SPY", "action": "Buy to Open", "quantity": 1}],
            "price": -1.0,
            "time_in_force": "Day",
        },
        headers={"Idempotency-Key": planted[ORDER_NAME]},
    )
    assert placed.status_code == 200, placed.text
    user.first_lines(f"/api/v1/stream/account-events{query}", api_key)
    user.first_lines("/api/v1/stream/quotes?symbols=SPY", api_key)
    asked = {"message": f"hello, {planted['words in a chat']}", "message_history": None}
    assert user.send("POST", "/api/v1/chat", api_key, json=asked, echo=True).status_code == 200
    ordered = {"message": "buy 1 SPY at 1", "account_id": account}
    answer = user.send("POST", "/api/v1/chat", api_key, json=ordered)
    (ticket,) = answer.json()["tickets"]
    planted.found["code of a ticket"] = f"confirm {ticket['code']}"
    assert other != account
    return account, (other,)


def made(sim: Simulator) -> Iterator[tuple[str, str]]:
    """Yields the tokens with which the gateway is logged in at the broker."""
    tokens = [*sim.oauth._access, *sim.oauth._quote]
    assert len(tokens) >= 3  # two tenants, and the feed of one
    for number, token in enumerate(tokens):
        yield f"token {number}", token


def bad(user: User, account: str) -> None:
    """Puts secrets where none belongs."""
    planted, api_key = user.planted, user.planted[A_KEY]
    broken = f'{{"api_key": "{api_key}", "client_secret": "{planted["secret in broken JSON"]}'
    kinds: tuple[Any, ...] = (7, ["{}"], {"value": "{}"}, None)
    long = planted["secret that is too long"] * 200
    json_type = {"Content-Type": "application/json"}
    for content in (broken, broken[:-8], f"[{broken}", f'"{planted["secret in broken JSON"]}"'):
        user.send("POST", "/api/v1/credentials", data=content, headers=json_type)
        user.send("POST", f"/api/v1/place-order?account_id={account}", api_key, data=content)

    for kind in kinds:
        wrong = json.loads(json.dumps(kind).replace("{}", planted["secret of a wrong type"]))
        user.send("POST", "/api/v1/credentials", json=body(api_key, wrong, "x"))
        user.send("POST", "/api/v1/credentials", json=body(wrong, "x", "y"))

    for one in (body(long, "x", "y"), body(key(0), long * 5, "y"), body(key(0), "x y", long)):
        user.send("POST", "/api/v1/credentials", json=one)

    in_query = quote(planted["secret in a query"], safe="")
    for path in (
        f"/api/v1/credentials?api_key={in_query}&client_secret={in_query}",
        f"/api/v1/balances?account_id={account}&api_key={in_query}",
        f"/api/v1/quotes?refresh_token={in_query}",
    ):
        user.send("POST" if "balances" not in path else "GET", path, api_key, json=[])

    in_path = planted["secret in a path"]
    user.send("GET", f"/api/v1/{in_path}", api_key)
    user.send("DELETE", f"/api/v1/credentials/{planted[B_KEY]}", api_key)
    user.send("DELETE", f"/api/v1/credentials/{planted['key that nobody has']}", api_key)
    user.send("GET", f"/api/v1/current-time/{in_path}")
    for headers in (
        {"X-API-Key": planted["key that nobody has"]},
        {"X-API-Key": long[:4_000]},
        {"Authorization": f"Bearer {planted['bearer of a header']}"},
        {"X-API-Key": api_key, "X-Request-Id": f"a key={planted['secret in a request id']}"},
        {"X-API-Key": api_key, "X-Padding": long * 2},
    ):
        user.send("GET", f"/api/v1/balances?account_id={account}", headers=headers)

    name = {"Idempotency-Key": f"{planted['too long a name of an order']} " + "x" * 100}
    user.send("POST", f"/api/v1/place-order?account_id={account}", api_key, json={}, headers=name)
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "get_balances", "arguments": {"account_id": planted["secret over MCP"]}},
    }
    accept = {"Accept": "application/json, text/event-stream"}
    user.send("POST", "/mcp", api_key, json=call, headers=accept, echo=True)
    user.send("POST", "/mcp", api_key, data=json.dumps(call)[:-9], headers=accept | json_type)


def over_grpc(user: User) -> None:
    """Sends bytes that are no message, keys that are none, and two keys at once."""
    planted = user.planted
    secret = planted["secret over gRPC"]
    with grpc.insecure_channel(user.gateway.target) as channel:
        balances = account_service_pb2_grpc.AccountServiceStub(channel).GetBalances
        raw = channel.unary_unary("/tasty.v1.AccountService/GetBalances")
        good = account_service_pb2.GetBalancesRequest(account_id="5WT00001")
        for call, message, metadata in (
            (raw, b"\xff" + secret.encode(), (("x-api-key", planted[A_KEY]),)),
            (balances, good, (("x-api-key", secret),)),
            (balances, good, (("x-api-key", planted[A_KEY]), ("x-api-key", planted[B_KEY]))),
        ):
            with pytest.raises(grpc.RpcError) as raised:
                call(message, metadata=metadata, timeout=CHAT_S)

            user.told.append(str(raised.value))


def broken_days(user: User, sim: Simulator, account: str) -> None:
    """Has the broker and the model fail in their ways, with the sessions open."""
    api_key = user.planted[A_KEY]
    for fault in (
        Fault(kind="status", path="/accounts/*"),
        Fault(kind="html", path="/accounts/*"),
        Fault(kind="expired-token", path="/accounts/*"),
        Fault(kind="cut-answer", path="/accounts/*"),
    ):
        sim.faults.add(fault)
        user.send("GET", f"/api/v1/positions?account_id={account}", api_key)
        sim.faults.clear()

    for kind in ("model-key", "model-broken", "model-cut", "model-malformed"):
        sim.faults.add(Fault(kind=kind, delay=timedelta()))
        asked = {"message": "Get my account balances", "message_history": None}
        user.send("POST", "/api/v1/chat", api_key, json=asked)
        sim.faults.clear()


def pages_of(user: User) -> list[str]:
    """Returns what anybody on the machine may read: metrics, and Envoy's admin page."""
    gateway = user.gateway
    pages = [user.http.get(f"{gateway.metrics_url}/metrics", timeout=CHAT_S).text]
    for path in (
        "/config_dump",
        "/stats/prometheus",
        "/stats",
        "/clusters",
        "/server_info",
        "/ready",
    ):
        with suppress(requests.ConnectionError):
            pages.append(user.http.get(gateway.admin_url + path, timeout=CHAT_S).text)

    assert "tasty_" in pages[0]
    return pages


def processes_of(pid: int) -> Iterator[tuple[str, bytes]]:
    """Yields the command line and the environment of a process and of all below it."""
    folder = Path(f"/proc/{pid}")
    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    yield f"{pid} {command}", (folder / "environ").read_bytes()
    for child in (folder / f"task/{pid}/children").read_text().split():
        yield from processes_of(int(child))


def assert_processes(processes: Mapping[str, bytes], planted: Planted) -> None:
    assert any("envoy" in command for command in processes)
    holders = 0
    for command, environment in processes.items():
        assert not hits(command.encode(), *planted.all()), command
        if any(one in command for one in NEEDS_SECRETS):
            holders += bool(hits(environment, planted[ADMIN]))
        else:
            assert not hits(environment, *planted.all()), command

    assert holders >= 2, "the search does not find what is there"


def contents(folder: Path) -> dict[str, bytes]:
    """Returns the bytes of each file; a database that other processes have open is only read."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


async def rows_of(url: str) -> bytes:
    """Returns the rows of all tables, as text."""
    connection = await asyncpg.connect(url)
    try:
        found = await connection.fetch(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        )
        rows = [
            row
            for (table,) in found
            for row in await connection.fetch(f'SELECT * FROM "{table}"')  # noqa: S608 - our own names
        ]
    finally:
        await connection.close()

    return "\n".join(str(tuple(row.values())) for row in rows).encode()


def account_of(user: User, api_key: str, *, echo: bool = False) -> str:
    answer = user.send("GET", "/api/v1/balances?account_id=none", api_key, echo=echo)
    assert answer.status_code == 404, answer.text
    return str(answer.json()["detail"]).split("['")[1].split("'")[0]


def body(api_key: Any, client_secret: Any, refresh_token: Any) -> dict[str, Any]:
    return {"api_key": api_key, "client_secret": client_secret, "refresh_token": refresh_token}
