"""A child process that cannot outlive us: its own session, a leash, and an end that escalates.

The session of its own matters for Ctrl-C: the terminal signals our process group only, so the
order in which the children stop is ours to choose.
"""

from __future__ import annotations

__all__ = ["Child", "ChildStatistics", "open_child"]

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

LEASH = Path(__file__).parent / "die_with_parent.py"
LAST_LINES = 20
LAST_WORDS = timedelta(seconds=1)
LONGEST_LINE = 64 * 1024
"""Longer lines arrive in pieces; a child never blocks on us for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildStatistics:
    """What a child has done so far."""

    pid: int
    lines: int
    exit_code: int | None


class Child(asyncio.SubprocessProtocol):
    """One running program; `open_child` makes it and ends it.

    Its output arrives by callback rather than in a task, so that a child needs no task group and
    an error in the block that uses it stays the error that it was.
    """

    def __init__(self, name: str, on_line: Callable[[str], None]) -> None:
        self.name = name
        self.pid = 0
        self._on_line = on_line
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._lines = 0
        self._rest = b""
        self._exited = asyncio.Event()
        self._silent = asyncio.Event()
        self._stopped = False
        self._transport: asyncio.SubprocessTransport | None = None

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._transport.get_returncode() if self._transport else None

    @property
    def last_lines(self) -> tuple[str, ...]:
        """What it said last, for the message about its end."""
        return tuple(self._last)

    async def wait(self) -> int:
        """Returns the exit code once the program has ended and its last words are in."""
        await self._exited.wait()
        # Not for ever: something that it started may hold its output open.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._silent.wait(), LAST_WORDS.total_seconds())
        code = self.exit_code
        assert code is not None  # noqa: S101  # what `exited` means
        return code

    async def stop(self, grace: timedelta) -> int:
        """Ends the program and all that it started: asks, waits for `grace`, then insists.

        Once it has ended, stopping it again does nothing.
        """
        if not self._stopped:
            self._signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._exited.wait(), grace.total_seconds())
            except TimeoutError:
                pass
            finally:
                # Also when it ended by itself: what it started may be left in its session.
                self.kill()
                self._stopped = True
        return await self.wait()

    def kill(self) -> None:
        """Ends the program and all that it started, now."""
        if not self._stopped:
            self._signal(signal.SIGKILL)

    def statistics(self) -> ChildStatistics:
        return ChildStatistics(pid=self.pid, lines=self._lines, exit_code=self.exit_code)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)  # noqa: S101  # by its protocol
        self._transport = transport
        self.pid = transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._say(line)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if self._rest:
            self._say(self._rest)
            self._rest = b""
        self._silent.set()

    def process_exited(self) -> None:
        self._exited.set()

    def _say(self, raw: bytes) -> None:
        line = raw.decode(errors="replace").rstrip()
        self._lines += 1
        self._last.append(line)
        self._on_line(line)

    def _signal(self, number: signal.Signals) -> None:
        # The session's leader is the child, so its process id names the group as well.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


@asynccontextmanager
async def open_child(
    name: str,
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    on_line: Callable[[str], None],
    grace: timedelta = timedelta(seconds=5),
) -> AsyncIterator[Child]:
    """Runs `command` for as long as the block lasts; `on_line` gets each line of its output.

    Leaving the block stops the program (`Child.stop`), also on an error or a cancellation; both
    output streams are one. Nothing in `command` may be a secret: everybody can read it.
    """
    # Neither the environment nor the user's site decides what the leash imports (-I, -S).
    leash = (sys.executable, "-I", "-S", str(LEASH), str(os.getpid()))
    transport, child = await asyncio.get_running_loop().subprocess_exec(
        lambda: Child(name, on_line),
        *leash,
        *command,
        env=dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield child
    finally:
        try:
            # Shielded, because a cancelled stop would leave the program running.
            await asyncio.shield(child.stop(grace))
        finally:
            transport.close()
