"""What tests run against: the whole gateway as a user starts it, or the edge and a fake server.

The fake is scripted by the test and speaks real gRPC.

Everything is on free ports and in a folder of its own, and is gone when its `with` ends. Neither
shares an event loop with the test, so a test may be synchronous or asynchronous, with any client.
"""

from __future__ import annotations

__all__ = ["Backend", "Edge", "Gateway", "free_ports", "in_background", "open_edge", "run_gateway"]

import asyncio
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import grpc

from server.edge import Envoy
from server.settings import Settings

HOME = Path(__file__).parents[1]
START_S = 45.0
STOP_S = 20.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A running `python -m server up`: simulator, server and Envoy."""

    url: str
    """REST and SSE."""
    target: str
    """gRPC through the edge."""
    grpc_target: str
    """gRPC without the edge."""
    simulator_url: str
    admin_url: str
    metrics_url: str
    data_dir: Path
    process: subprocess.Popen[str]
    output: list[str]
    """What it printed so far."""

    api_key = "demo-key"
    account = "5WT00001"


@contextmanager
def run_gateway(data_dir: Path, **settings: object) -> Iterator[Gateway]:
    """Runs the gateway in a process of its own; `settings` as in `Settings`, ports excepted."""
    ports = dict(zip(("edge", "grpc", "simulator", "admin", "metrics"), free_ports(5), strict=True))
    # Not the developer's own settings either, of which a key would be used up by tests.
    own = ("TASTY_", "ANTHROPIC_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    env |= {f"TASTY_{name.upper()}_PORT": str(port) for name, port in ports.items()}
    if "anthropic_api_key" in settings:
        env["ANTHROPIC_API_KEY"] = str(settings.pop("anthropic_api_key"))
    env |= {f"TASTY_{name.upper()}": str(value) for name, value in settings.items()}
    env |= {"TASTY_DATA_DIR": str(data_dir), "PYTHONPATH": str(HOME)}
    if not {"master_key", "pepper"}.isdisjoint(settings):
        command = [sys.executable, "-m", "server", "migrate", "--init"]
        subprocess.run(command, env=env, check=True, capture_output=True, timeout=START_S)
    process = subprocess.Popen(
        [sys.executable, "-m", "server", "up"],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    output: list[str] = []
    ready = threading.Event()
    reader = threading.Thread(target=_read, args=(process, output, ready))
    reader.start()
    try:
        if not ready.wait(START_S) or not any(line.startswith("ready: ") for line in output):
            raise AssertionError("the gateway did not start:\n" + "\n".join(output))
        host = "127.0.0.1"
        yield Gateway(
            url=f"http://{host}:{ports['edge']}",
            target=f"{host}:{ports['edge']}",
            grpc_target=f"{host}:{ports['grpc']}",
            simulator_url=f"http://{host}:{ports['simulator']}",
            admin_url=f"http://{host}:{ports['admin']}",
            metrics_url=f"http://{host}:{ports['metrics']}",
            data_dir=data_dir,
            process=process,
            output=output,
        )
    finally:
        _end(process)
        reader.join()
        if process.stdout is not None:
            process.stdout.close()


class Backend:
    """A gRPC server that has every rpc and answers as it is told, in bytes.

    `answers["/tasty.v1.SystemService/GetHealth"] = function(request_bytes, context)` returns the
    bytes of one message, or an iterator of them for a stream; any other rpc answers with an empty
    message. What arrived is in `calls`.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[bytes, grpc.ServicerContext], Any]] = {}
        self.calls: list[Call] = []
        self._server = grpc.server(
            # A thread for each call, also for one whose message never comes.
            ThreadPoolExecutor(512),
            options=[("grpc.so_reuseport", 0)],
            handlers=[_Any(self)],
        )
        self.port = self._server.add_insecure_port("127.0.0.1:0")

    def __enter__(self) -> Backend:
        self._server.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.stop(0).wait()

    @property
    def last(self) -> Call:
        return self.calls[-1]

    def answer(self, request: bytes, context: grpc.ServicerContext, method: str) -> Iterator[bytes]:
        metadata = {key: str(value) for key, value in context.invocation_metadata()}
        self.calls.append(Call(method=method, metadata=metadata, request=request))
        answered = self.answers.get(method, lambda _request, _context: b"")(request, context)
        yield from [answered] if isinstance(answered, bytes) else answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that reached the backend."""

    method: str
    metadata: dict[str, str] = field(repr=False)
    request: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Envoy, with our configuration, before a backend."""

    envoy: Envoy
    backend: Backend
    log: list[str]

    @property
    def url(self) -> str:
        return self.envoy.url

    @property
    def target(self) -> str:
        return self.envoy.target

    def log_until(self, text: str) -> list[str]:
        """Returns what Envoy has logged, once `text` is in it: the log comes in batches."""
        deadline = time.monotonic() + 5
        while not any(text in line for line in self.log):
            assert time.monotonic() < deadline, f"not logged: {text}"
            time.sleep(0.02)
        return list(self.log)


@contextmanager
def open_edge(data_dir: Path, *, server_port: int = 0, **settings: Any) -> Iterator[Edge]:
    """Runs Envoy before a scripted backend, or before whatever listens on `server_port`.

    `settings` as in `Settings`.
    """
    log: list[str] = []
    fixed = {"edge_port": 0, "admin_port": 0, "edge_threads": 1, "data_dir": data_dir}
    with Backend() as backend:
        port = server_port or backend.port
        envoy = Envoy(Settings(**(fixed | settings)), grpc_port=port, on_line=log.append)
        with in_background(envoy):
            yield Edge(envoy=envoy, backend=backend, log=log)


@contextmanager
def in_background(manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Enters an async context on a loop in a thread of its own, for as long as the block lasts."""
    entered: queue.Queue[T | BaseException] = queue.Queue()
    loop = asyncio.new_event_loop()
    leave = asyncio.Event()

    async def live() -> None:
        async with manager as value:
            entered.put(value)
            await leave.wait()

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(live())
        except BaseException as error:  # noqa: BLE001  # raised again in the thread that waits
            entered.put(error)

    thread = threading.Thread(target=run)
    thread.start()
    value = entered.get()
    if isinstance(value, BaseException):
        thread.join()
        raise value
    try:
        yield value
    finally:
        loop.call_soon_threadsafe(leave.set)
        thread.join()


def free_ports(count: int) -> list[int]:
    """Returns ports that nobody listens on; all different."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


class _Any(grpc.GenericRpcHandler):
    """Every rpc as stream-stream, which on the wire is any kind."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        def handle(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
            request = next(requests, None)
            if request is not None:  # else the edge gave up before it had a whole message
                yield from self._backend.answer(request, context, details.method)

        return grpc.stream_stream_rpc_method_handler(handle)


def _read(process: subprocess.Popen[str], output: list[str], ready: threading.Event) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        output.append(line.rstrip("\n"))
        if line.startswith("ready: "):
            ready.set()
    ready.set()  # it ended; whoever waits finds out why


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()  # its children go with it
        process.wait()
        raise AssertionError(f"the gateway did not stop within {STOP_S} s") from None
