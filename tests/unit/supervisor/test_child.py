"""A child process: its output, its end, and the end of all that it started."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from server.child import Child, open_child
from tests.waiting import eventually

GRACE = timedelta(seconds=5)


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


async def line(lines: asyncio.Queue[str]) -> str:
    return await asyncio.wait_for(lines.get(), 10)


async def test_output_comes_line_by_line_also_the_last_without_an_end() -> None:
    lines: list[str] = []
    code = "import os; os.write(1, b'one\\ntw'); os.write(2, b'o\\nth\\xffree')"
    async with open_child("c", python(code), env={}, on_line=lines.append) as child:
        assert await child.wait() == 0
    assert lines == ["one", "two", "th\ufffdree"]
    assert child.last_lines == tuple(lines)
    assert child.statistics().lines == 3
    assert child.statistics().exit_code == 0


async def test_a_long_line_does_not_block() -> None:
    lines: list[str] = []
    code = "print('x' * 1_000_000)"
    async with open_child("c", python(code), env={}, on_line=lines.append) as child:
        assert await child.wait() == 0
    assert sum(map(len, lines)) == 1_000_000


async def test_leaving_ends_it() -> None:
    lines: asyncio.Queue[str] = asyncio.Queue()
    code = "import time; print('up', flush=True); time.sleep(60)"
    async with open_child("c", python(code), env={}, on_line=lines.put_nowait) as child:
        assert await line(lines) == "up"
    assert child.exit_code == -15
    assert not alive(child.pid)


async def test_one_that_will_not_go_is_killed() -> None:
    lines: asyncio.Queue[str] = asyncio.Queue()
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('up', flush=True); time.sleep(60)"
    )
    grace = timedelta(seconds=0.2)
    async with open_child(
        "c", python(code), env={}, on_line=lines.put_nowait, grace=grace
    ) as child:
        assert await line(lines) == "up"
    assert child.exit_code == -9


async def test_what_it_started_goes_with_it() -> None:
    lines: asyncio.Queue[str] = asyncio.Queue()
    code = (
        "import subprocess, sys, time;"
        f"other = subprocess.Popen([{sys.executable!r}, '-c', 'import time; time.sleep(60)']);"
        "print(other.pid, flush=True); time.sleep(60)"
    )
    async with open_child("c", python(code), env={}, on_line=lines.put_nowait) as child:
        other = int(await line(lines))
        assert alive(other)
    assert not alive(child.pid)
    # It was not ours to wait for, so the kernel may need a moment.
    await eventually(lambda: not alive(other))


async def test_an_error_in_the_block_stays_the_error() -> None:
    with pytest.raises(KeyError):
        async with open_child("c", python("input()"), env={}, on_line=print) as child:
            raise KeyError
    assert child.exit_code is not None


async def test_stopping_twice_is_stopping_once() -> None:
    async with open_child("c", python("import time; time.sleep(60)"), env={}, on_line=print) as c:
        first = await c.stop(GRACE)
        assert await c.stop(GRACE) == first


async def test_it_sees_only_the_environment_it_is_given() -> None:
    lines: list[str] = []
    os.environ["TASTY_TEST_CANARY"] = "seen"
    try:
        code = "import os; print(os.environ.get('TASTY_TEST_CANARY'), os.environ['MINE'])"
        async with open_child("c", python(code), env={"MINE": "1"}, on_line=lines.append) as child:
            await child.wait()
    finally:
        del os.environ["TASTY_TEST_CANARY"]
    assert lines == ["None 1"]


async def test_a_program_that_does_not_exist_ends_at_once() -> None:
    async with open_child("c", ["/nowhere/at/all"], env={}, on_line=print) as child:
        assert await child.wait() != 0
        assert isinstance(child, Child)
        assert "FileNotFoundError" in child.last_lines[-1]
