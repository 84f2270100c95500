"""REST reads through Envoy, beside a FastAPI server of the same behaviour behind the same Envoy.

32 concurrent clients of distinct keys (wrk), warm, without a rate limit. The two servers take
turns, route by route, and the ratio of each pair counts. A server has core 0 to itself; Envoy,
simulator and wrk share core 1. What Envoy and the server take of a request is reported apart.
"""

from __future__ import annotations

__all__ = ["main"]

import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.figures import Figure, show
from tests.bench.processes import (
    APP_CORE,
    LOAD_CORE,
    Program,
    cpu_seconds,
    key_of,
    open_stack,
    pinned,
)
from tests.plain_envoy import open_plain_envoy
from tests.stack import free_ports

CLIENTS = 32
ROUNDS = 3
FIVE = [{"symbol": symbol} for symbol in ("SPY", "QQQ", "AAPL", "NVDA", "MSFT")]
SYMBOLS = ["SPY", "QQQ", "AAPL", "NVDA", "MSFT"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One route, and what is promised of it."""

    name: str
    path: str
    target: float
    body: object = None
    keys: int = CLIENTS
    """How many keys the clients take turns with."""
    seconds: int = 4


READS = (
    Read(name="GET /health", path="/health", target=0.85),
    Read(name="GET /current-time", path="/api/v1/current-time", target=0.85),
    Read(name="POST /quotes, 5 warm", path="/api/v1/quotes?analyze=false", body=FIVE, target=1.0),
    Read(
        name="POST /market-metrics, 5",
        path="/api/v1/market-metrics?analyze=false",
        body=SYMBOLS,
        target=1.0,
    ),
    Read(name="GET /positions", path="/api/v1/positions?account_id={account}", target=1.0),
    # Fewer keys: the baseline takes a minute of processor time to load ten of these chains.
    Read(
        name="GET /option-chain, SPX",
        path="/api/v1/option-chain?symbol=SPX",
        target=5,
        keys=4,
        seconds=20,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server behind its Envoy."""

    url: str
    app_pid: int
    envoy_pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run of one route."""

    per_second: float
    p50_ms: float
    p99_ms: float
    app_us: float
    envoy_us: float
    failed: int


@contextmanager
def baseline(simulator_url: str) -> Iterator[Served]:
    """Runs the FastAPI server and its Envoy."""
    (port,) = free_ports(1)
    command = ("-m", "tests.bench.fastapi_baseline", str(port), simulator_url, str(CLIENTS))
    with (
        Program(*command, core=APP_CORE, port=port) as app,
        open_plain_envoy(port, pinned(LOAD_CORE)) as envoy,
    ):
        yield Served(url=f"http://127.0.0.1:{envoy.port}", app_pid=app.pid, envoy_pid=envoy.pid)


def ask(url: str, key: str, body: object = None) -> object:
    """Makes one request and returns the answer's JSON."""
    request = urllib.request.Request(  # noqa: S310 - our own address
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"x-api-key": key, "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
        return json.load(answer)


def script(read: Read, accounts: list[str]) -> str:
    """Returns the Lua with which wrk asks, with one key after the other."""
    keys = [key_of(number) for number in range(read.keys)]
    paths = [read.path.format(account=account) for account in accounts]
    body = "" if read.body is None else json.dumps(read.body)
    method = "POST" if body else "GET"
    return f"""
local keys = {{{", ".join(f'"{key}"' for key in keys)}}}
local paths = {{{", ".join(f'"{path}"' for path in paths)}}}
local turn = 0
request = function()
  turn = turn % #keys + 1
  local headers = {{["x-api-key"] = keys[turn], ["content-type"] = "application/json"}}
  return wrk.format("{method}", paths[turn], headers, {json.dumps(body)})
end
done = function(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


def measure(served: Served, read: Read, accounts: list[str]) -> Measured:
    """Loads one route for a few seconds."""
    parts = urlsplit(served.url)
    with tempfile.TemporaryDirectory() as folder:
        lua = Path(folder, "load.lua")
        lua.write_text(script(read, accounts))
        app, envoy = cpu_seconds(served.app_pid), cpu_seconds(served.envoy_pid)
        load = subprocess.run(
            [
                *(*pinned(LOAD_CORE), "wrk", "-t1", f"-c{CLIENTS}", f"-d{read.seconds}s"),
                *("--timeout", "30s", "-s", str(lua), f"http://{parts.netloc}"),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        app, envoy = cpu_seconds(served.app_pid) - app, cpu_seconds(served.envoy_pid) - envoy
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", load.stdout)
    assert found, load.stdout
    count, took, p50, p99, refused, broken = map(int, found.groups())
    return Measured(
        per_second=max(count, 1) / (took / 1e6),  # none at all is told by `failed`
        p50_ms=p50 / 1000,
        p99_ms=p99 / 1000,
        app_us=app / max(count, 1) * 1e6,
        envoy_us=envoy / max(count, 1) * 1e6,
        failed=refused + broken + (not count),
    )


def warm(served: Served, read: Read, accounts: list[str]) -> None:
    """Asks once with each key, so that sessions, streamers and chains are there."""
    for number in range(read.keys):
        ask(served.url + read.path.format(account=accounts[number]), key_of(number), read.body)


def pairs(ours: Served, theirs: Served, read: Read, accounts: list[str]) -> list[Figure]:
    """Measures one route on both servers in turns; returns its lines."""
    runs: dict[str, list[Measured]] = {"ours": [], "theirs": []}
    for served in (ours, theirs):
        warm(served, read, accounts)
    time.sleep(1)
    for _ in range(ROUNDS):
        runs["ours"].append(measure(ours, read, accounts))
        runs["theirs"].append(measure(theirs, read, accounts))
    ratio = statistics.median(
        mine.per_second / other.per_second
        for mine, other in zip(runs["ours"], runs["theirs"], strict=True)
    )
    cpu = statistics.median(
        (other.app_us + other.envoy_us) / (mine.app_us + mine.envoy_us)
        for mine, other in zip(runs["ours"], runs["theirs"], strict=True)
    )
    failed = {name: sum(run.failed for run in runs[name]) for name in runs}
    mine, other = (max(runs[name], key=lambda run: run.per_second) for name in ("ours", "theirs"))
    return [
        Figure(
            measure=read.name,
            value=f"{ratio:.2f}x",
            target=f">= {read.target:g}x",
            met=ratio >= read.target and not failed["ours"],
            how=(
                f"{mine.per_second:,.0f}/s (Envoy {mine.envoy_us:,.0f} + server "
                f"{mine.app_us:,.0f} us) beside {other.per_second:,.0f}/s "
                f"({other.envoy_us:,.0f} + {other.app_us:,.0f} us)"
                + "".join(f"; {count} of {name} failed" for name, count in failed.items() if count)
            ),
        ),
        Figure(
            measure="  processor time of a request, theirs to ours",
            value=f"{cpu:.2f}x",
            target="",
            met=None,
            how=f"p50 {mine.p50_ms:.1f} ms beside {other.p50_ms:.1f} ms",
        ),
    ]


def main(*names: str) -> bool:
    if shutil.which("wrk") is None:
        print("REST: skipped, wrk is not installed (Debian: wrk)")
        return True

    print(
        f"\nREST reads through Envoy, {CLIENTS} clients, beside FastAPI + uvicorn + SDK behind "
        f"Envoy;\nmedian of {ROUNDS} pairs of runs"
    )
    met = True
    with open_stack() as stack, baseline(stack.simulator_url) as theirs:
        stack.register(CLIENTS)
        ours = Served(url=stack.url, app_pid=stack.server.pid, envoy_pid=stack.envoy_pid)
        accounts = []
        for number in range(CLIENTS):
            try:
                ask(f"{stack.url}/api/v1/balances?account_id=none", key_of(number))
            except urllib.error.HTTPError as refused:
                text = json.load(refused)["detail"]
                accounts.append(re.findall(r"5W\w{6}", text)[0])
        for read in READS:
            if not names or any(name in read.name for name in names):
                met &= show(f"REST, {read.name}", pairs(ours, theirs, read, accounts))
    return met


if __name__ == "__main__":
    sys.exit(not main(*sys.argv[1:]))
