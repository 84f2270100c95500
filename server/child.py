"""A child process that cannot outlive us: its own session, a leash, and an end that escalates.

The session of its own matters for Ctrl-C: the terminal signals our process group only, so the
order in which the children stop is ours to choose.
"""

from __future__ import annotations

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

__all__ = ["Child", "ChildStatistics", "open_child"]

LEASH = Path(__file__).parent / "leash.py"
LAST_LINES = 20
LONGEST_LINE = 64 * 1024
"""Longer lines arrive in pieces; a child never blocks on us for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildStatistics:
    """What a child has done so far."""

    pid: int
    lines: int
    exit_code: int | None


class Child:
    """One running program; `open_child` makes it and ends it."""

    def __init__(
        self, name: str, process: asyncio.subprocess.Process, on_line: Callable[[str], None]
    ) -> None:
        self.name = name
        self._process = process
        self._on_line = on_line
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._lines = 0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.returncode

    @property
    def last_lines(self) -> tuple[str, ...]:
        """What it said last, for the message about its end."""
        return tuple(self._last)

    async def wait(self) -> int:
        """Returns the exit code once the program has ended."""
        return await self._process.wait()

    async def stop(self, grace: timedelta) -> int:
        """Ends the program and all that it started: asks, waits for `grace`, then insists."""
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), grace.total_seconds())
        except TimeoutError:
            pass
        finally:
            # Also when it ended by itself: something that it started may be left in its session.
            self._signal(signal.SIGKILL)
        return await self._process.wait()

    def statistics(self) -> ChildStatistics:
        return ChildStatistics(pid=self.pid, lines=self._lines, exit_code=self.exit_code)

    def _signal(self, number: signal.Signals) -> None:
        # The session's leader is the child, so its process id names the group as well.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _read(self) -> None:
        output = self._process.stdout
        assert output is not None  # noqa: S101  # open_child asked for a pipe
        rest = b""
        while chunk := await output.read(LONGEST_LINE):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._say(line)
        if rest:
            self._say(rest)

    def _say(self, raw: bytes) -> None:
        line = raw.decode(errors="replace").rstrip()
        self._lines += 1
        self._last.append(line)
        self._on_line(line)


@asynccontextmanager
async def open_child(
    name: str,
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    on_line: Callable[[str], None],
    grace: timedelta = timedelta(seconds=5),
    cwd: Path | None = None,
) -> AsyncIterator[Child]:
    """Runs `command` for as long as the block lasts; `on_line` gets each line of its output.

    Leaving the block stops the program (`Child.stop`), also on an error or a cancellation; both
    output streams are one. Nothing in `command` may be a secret: everybody can read it.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",  # neither the environment nor the user's site decides what the leash imports
        "-S",
        str(LEASH),
        str(os.getpid()),
        *command,
        env=dict(env),
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    child = Child(name, process, on_line)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(child._read(), name=f"output of {name}")
        try:
            yield child
        finally:
            # Shielded, because a cancelled stop would leave the program running.
            await asyncio.shield(child.stop(grace))
