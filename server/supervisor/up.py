"""The gateway's life: start all parts at once, wait until they answer, end them in order.

The order of the end matters. The edge first asks its clients to go and lets no new ones in; then
the server finishes what it is doing and says good-bye to its streams while the edge still carries
them; then the rest goes.
"""

from __future__ import annotations

__all__ = ["ExitCode", "Supervisor"]

import asyncio
import enum
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from datetime import timedelta

import aiohttp

from server.child import Child, open_child
from server.clock import Clock, SystemClock
from server.edge import Envoy, EnvoyFailed, EnvoyMissing, envoy_binary
from server.edge.config import reachable
from server.edge.listening import listens
from server.edge.open_files import word_about_places
from server.settings import Settings
from server.supervisor import parts
from server.supervisor.banner import banner
from server.supervisor.console import Console, NoFolder
from server.supervisor.edge_watch import EdgeSilent, ask, until_silent
from server.supervisor.ports import PortTaken, settled

READY_WITHIN = timedelta(seconds=60)
POLL = timedelta(milliseconds=50)
MARGIN = timedelta(seconds=3)
"""What a part gets beyond its own time to stop, before it is killed."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ExitCode(enum.IntEnum):
    """What the exit code of `up` tells."""

    STOPPED = 0
    """It was asked to stop, and did."""
    CRASHED = 1
    """A part ended by itself, or does not answer; the rest was stopped."""
    CANNOT_START = 2
    """A port is taken, a folder is not ours to write in, or there is no Envoy."""
    STORE_UNUSABLE = 3
    """The server cannot use its database or its keys; starting again does not help."""


class Crashed(Exception):
    """A part ended that nobody had asked to."""

    def __init__(self, child: Child, log: object) -> None:
        how = f"signal {-code}" if (code := child.exit_code or 0) < 0 else f"exit code {code}"
        said = "".join(f"\n    {line}" for line in child.last_lines)
        super().__init__(f"{child.name} ended by itself ({how}); all of it is in {log}.{said}")
        # Whoever started us is told the same as who starts the server alone.
        unusable = child.name == "server" and child.exit_code == ExitCode.STORE_UNUSABLE
        self.exit_code = ExitCode.STORE_UNUSABLE if unusable else ExitCode.CRASHED


class NotReady(Exception):
    """The parts run, but the gateway does not answer."""

    def __init__(self, what: str) -> None:
        waited = READY_WITHIN.total_seconds()
        super().__init__(f"Not ready after {waited:g} s: {what}.")


class Supervisor:
    """Runs the gateway until a signal, or until one of its parts ends."""

    def __init__(
        self, settings: Settings, *, console: Console | None = None, clock: Clock | None = None
    ) -> None:
        self._settings = settings
        self._console = console or Console(settings.data_dir.resolve() / "logs")
        self._clock = clock or SystemClock()
        self._stop = asyncio.Event()
        self._children: list[Child] = []

    async def run(self) -> ExitCode:
        """Returns once everything has ended; prints what a person needs to know."""
        try:
            with self._console, self._signals():
                envoy_binary(self._settings.envoy_path)
                self._settings = settled(self._settings)
                return await self._until_stopped()
        except (EnvoyMissing, NoFolder, PortTaken) as error:
            self._console.say(str(error))
            return ExitCode.CANNOT_START

    def stop(self) -> None:
        """Asks for the end; asking again does not wait for anybody."""
        if self._stop.is_set():
            for child in self._children:
                child.kill()
        self._stop.set()

    async def _until_stopped(self) -> ExitCode:
        async with asyncio.TaskGroup() as tasks:
            life = tasks.create_task(self._live(), name="gateway")
            stop = tasks.create_task(self._stop.wait(), name="stop")
            await asyncio.wait({life, stop}, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            life.cancel()
        if life.cancelled():
            self._console.say("stopped.")
            return ExitCode.STOPPED
        error = life.result()
        self._console.say(f"\n{error}\nEverything else was stopped.")
        if isinstance(error, NoFolder):
            return ExitCode.CANNOT_START
        return error.exit_code if isinstance(error, Crashed) else ExitCode.CRASHED

    async def _live(self) -> Exception:
        """Starts and watches; returns what ended it, unless it is cancelled."""
        try:
            async with AsyncExitStack() as stack:
                server, edge = await self._start(stack)
                try:
                    await self._ready(edge)
                    self._announce(edge)
                    await self._watch(edge)
                finally:
                    # In this order, whatever the reason; leaving the stack ends the rest.
                    with suppress(aiohttp.ClientError, TimeoutError):
                        await edge.drain()
                    await server.stop(self._server_grace())
        except (Crashed, EdgeSilent, EnvoyFailed, NoFolder, NotReady) as error:
            return error
        raise AssertionError("the watch ends by an error or by cancellation")

    async def _start(self, stack: AsyncExitStack) -> tuple[Child, Envoy]:
        settings = self._settings
        if word := word_about_places(settings):
            self._console.say(word)

        if settings.broker == "simulator" and not settings.simulator_url:
            await self._child(stack, parts.simulator(settings))
        server = await self._child(stack, parts.server(settings))
        edge = Envoy(
            settings,
            grpc_port=settings.grpc_port,
            on_line=self._console.lines_of("edge"),
            clock=self._clock,
        )
        try:
            await stack.enter_async_context(edge)
        except OSError as error:  # it writes its configuration
            raise NoFolder(
                settings.data_dir / "edge", error.strerror or "no reason given"
            ) from error

        self._children.append(edge.child)
        return server, edge

    async def _child(self, stack: AsyncExitStack, part: parts.Part) -> Child:
        child = await stack.enter_async_context(
            open_child(
                part.name,
                part.command,
                env=part.env,
                on_line=self._console.lines_of(part.name),
                grace=self._server_grace() if part.name == "server" else MARGIN,
            )
        )
        self._children.append(child)
        return child

    async def _ready(self, edge: Envoy) -> None:
        """Returns once every part answers, and a request gets through the edge to the server."""
        settings = self._settings
        host = reachable(settings.host)
        async with _visitor() as http:
            if any(child.name == "simulator" for child in self._children):
                simulator = f"http://{host}:{settings.simulator_port}/"
                await self._until("simulator", lambda: _answers(http, simulator))
            # Before the edge is asked: it would log each try.
            await self._until("server", lambda: listens(host, settings.grpc_port))
            await self._until(
                "server through the edge", lambda: _answers(http, f"{edge.url}/health")
            )

    async def _until(self, what: str, holds: Callable[[], Awaitable[bool]]) -> None:
        deadline = self._clock.monotonic() + READY_WITHIN.total_seconds()
        while not await holds():
            self._check()
            if self._clock.monotonic() > deadline:
                raise NotReady(f"no answer from {what}")
            await self._clock.sleep(POLL)

    def _announce(self, edge: Envoy) -> None:
        grpc = f"{reachable(self._settings.host)}:{self._settings.grpc_port}"
        words = banner(self._settings, url=edge.url, grpc=grpc, logs=self._console.folder)
        self._console.say(words)

    async def _watch(self, edge: Envoy) -> None:
        """Raises what ends the gateway: a part that ended, or an edge that serves nobody."""
        async with _visitor() as http, asyncio.TaskGroup() as tasks:
            ends = [tasks.create_task(child.wait()) for child in self._children]
            url = f"{edge.url}/health"
            silence = tasks.create_task(until_silent(lambda: ask(http, url), self._clock))
            fullness = tasks.create_task(edge.tell_fullness())
            await asyncio.wait([*ends, silence], return_when=asyncio.FIRST_COMPLETED)
            for task in (*ends, silence, fullness):
                task.cancel()
        self._check()
        raise silence.result()

    def _check(self) -> None:
        for child in self._children:
            if child.exit_code is not None:
                raise Crashed(child, self._console.folder / f"{child.name}.log")

    def _server_grace(self) -> timedelta:
        settings = self._settings
        return timedelta(seconds=settings.drain_notice_s + settings.drain_s) + MARGIN

    @contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.stop)
        try:
            yield
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)


def _visitor() -> aiohttp.ClientSession:
    """Returns a client of our own edge, whose certificate need not name this address."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False))


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    """Tells whether `url` is served; a refusal of the request counts, a broken server does not."""
    try:
        async with http.get(url, timeout=aiohttp.ClientTimeout(total=2)) as answer:
            return answer.status < 500
    except (aiohttp.ClientError, TimeoutError):
        return False
