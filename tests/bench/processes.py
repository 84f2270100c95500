"""Programs under measurement: started on one core, watched for the time and memory they take."""

from __future__ import annotations

__all__ = [
    "APP_CORE",
    "LOAD_CORE",
    "Program",
    "Stack",
    "cpu_seconds",
    "key_of",
    "open_simulator",
    "open_stack",
    "pin",
    "pinned",
    "rss",
]

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from server.edge import Envoy
from server.settings import Settings
from tests.stack import free_ports, in_background

HOME = Path(__file__).parents[2]
APP_CORE, LOAD_CORE = 0, 1
"""What is measured runs alone on the first; everything else shares the second."""
START_S = 30


def pinned(core: int) -> list[str]:
    """Returns the prefix of a command that runs it on one core."""
    return ["taskset", "-c", str(core)] if shutil.which("taskset") else []


def pin(pid: int, core: int) -> None:
    """Moves a running program, with all its threads, to one core."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), {core})


def cpu_seconds(pid: int) -> float:
    """Returns the processor time that a program has taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss(pid: int) -> int:
    """Returns the resident memory of a program, in bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Program:
    """A program that runs until the `with` ends, started once it listens on its port."""

    def __init__(self, *command: str, core: int, port: int, **env: str) -> None:
        self._process = subprocess.Popen(
            [*pinned(core), sys.executable, *command],
            env=os.environ | {"PYTHONPATH": f"{HOME}:{HOME / 'gen'}"} | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.pid = self._process.pid
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        deadline = time.monotonic() + START_S
        while not _listens(port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.end()
                raise RuntimeError("\n".join([f"{command} did not start", *self.lines]))
            time.sleep(0.05)

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_error: object) -> None:
        self.end()

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            self.lines.extend(line.rstrip("\n") for line in output)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Simulator, server and Envoy, each a process."""

    simulator: Program
    server: Program
    envoy: Envoy
    simulator_url: str
    grpc_target: str
    metrics_url: str

    @property
    def url(self) -> str:
        return self.envoy.url

    @property
    def envoy_pid(self) -> int:
        return self.envoy.child.pid

    def memory(self) -> int:
        """Resident bytes of server and Envoy together."""
        return rss(self.server.pid) + rss(self.envoy_pid)

    def streams(self) -> int:
        """How many streams are open, as the server's own metrics tell."""
        with urllib.request.urlopen(self.metrics_url, timeout=5) as page:  # noqa: S310 - our own
            text = page.read().decode()
        found = re.search(r'^tasty_calls_running\{kind="stream"\} (\S+)', text, re.MULTILINE)
        return int(float(found[1])) if found else 0

    def register(self, count: int) -> None:
        """Makes tenants; `key_of(number)` is the key of each."""
        for number in range(count):
            key = key_of(number)
            body = {"api_key": key, "client_secret": "bench", "refresh_token": key}
            request = urllib.request.Request(  # noqa: S310 - our own address
                f"{self.url}/api/v1/credentials",
                data=json.dumps(body).encode(),
                headers={"content-type": "application/json"},
            )
            urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 - as above


def key_of(number: int) -> str:
    """Returns the API key of a tenant, which is its refresh token as well."""
    return f"bench-key-{number:04d}-0123456789abcdef"


@contextmanager
def open_simulator(*options: str) -> Iterator[tuple[Program, str]]:
    """Runs the simulator alone; yields it and its address."""
    [port] = free_ports(1)
    command = ("-m", "server", "simulate", "--port", str(port), *options)
    with Program(*command, core=LOAD_CORE, port=port) as program:
        yield program, f"http://127.0.0.1:{port}"


@contextmanager
def open_stack(*simulator_options: str, **settings: object) -> Iterator[Stack]:
    """Runs the whole gateway, the server alone on its core; no rate limit and few words."""
    with ExitStack() as stack:
        simulator, simulator_url = stack.enter_context(open_simulator(*simulator_options))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        grpc_port, metrics_port = free_ports(2)
        chosen = {"rate_limit": 0, "log_level": "warning"} | settings
        env = {
            "TASTY_SIMULATOR_URL": simulator_url,
            "TASTY_GRPC_PORT": str(grpc_port),
            "TASTY_METRICS_PORT": str(metrics_port),
            "TASTY_DATA_DIR": str(folder / "server"),
            **{f"TASTY_{name.upper()}": str(value) for name, value in chosen.items()},
        }
        command = ("-m", "server", "serve")
        server = stack.enter_context(Program(*command, core=APP_CORE, port=grpc_port, **env))
        edge = Settings(
            data_dir=folder / "edge",
            edge_port=0,
            admin_port=0,
            edge_threads=1,
            edge_address_rate=0,  # all of the load comes from one address
        )
        envoy = Envoy(edge, grpc_port=grpc_port)
        stack.enter_context(in_background(envoy))
        pin(envoy.child.pid, LOAD_CORE)
        yield Stack(
            simulator=simulator,
            server=server,
            envoy=envoy,
            simulator_url=simulator_url,
            grpc_target=f"127.0.0.1:{grpc_port}",
            metrics_url=f"http://127.0.0.1:{metrics_port}/metrics",
        )
