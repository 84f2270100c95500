"""Tests the simulator as a program: its ready line, its options, its end."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from server.simulator.__main__ import _parse_arguments
from server.simulator.faults import KINDS, Fault
from tests.command_line import in_this_process
from tests.effort import one_in

READY = "ready: "


@asynccontextmanager
async def program(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server.simulator", "--port", "0", *arguments,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            while not (line := (await process.stdout.readline()).decode()).startswith(READY):
                assert line, "the program ended before it was ready"

        yield process, line.removeprefix(READY).strip()
    finally:
        if process.returncode is None:
            process.kill()

        await process.wait()
        process._transport.close()  # type: ignore[attr-defined]  # else it warns about itself


# One of them in `make test`: both set the same event.
@pytest.mark.parametrize("number", one_in(2, [signal.SIGTERM, signal.SIGINT]))
async def test_it_ends_when_told_to_and_lets_go_of_its_port(number: signal.Signals) -> None:
    async with program() as (process, url), aiohttp.ClientSession() as http:
        async with http.get(url + "/health") as response:
            assert await response.json() == {"status": "ok"}

        # With an open feed and an open streamer: both have to be let go of.
        async with (
            http.ws_connect(url + "/dxlink") as feed,
            http.ws_connect(url + "/streamer") as streamer,
        ):
            process.send_signal(number)
            for connection in (feed, streamer):
                assert (await connection.receive()).type is aiohttp.WSMsgType.CLOSE

        async with asyncio.timeout(5):
            assert await process.wait() == 0

        port = int(url.rpartition(":")[2])
        with socket.create_server(("127.0.0.1", port)):
            pass  # nothing holds it any more


def test_a_port_that_is_taken_is_said_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = in_this_process("simulate", "--port", str(taken.getsockname()[1]))

    assert said.code == 1
    assert said.out == ""
    assert said.err.startswith("simulator: ")
    assert "Traceback" not in said.err


def test_every_setting_has_a_flag() -> None:
    settings = _parse_arguments(
        [
            *("--port", "1", "--seed", "2", "--latency", "25", "--rate-limits", "--real-hours"),
            *("--start", "2026-11-20T12:00:00-05:00", "--access-token-lifetime", "60"),
            *("--quote-token-lifetime", "60", "--feed-restart", "5", "--tick", "10"),
            *("--min-aggregation", "10", "--max-feed-message", "1000", "--auto-candle-history"),
            *("--fault", '{"kind": "hang"}', "--fault", '{"kind": "drop", "path": "/dxlink"}'),
        ]
    )
    assert settings.latency.total_seconds() == 0.025
    assert settings.faults == (Fault(kind="hang"), Fault(kind="drop", path="/dxlink"))
    assert settings.start is not None
    assert settings.start.isoformat() == "2026-11-20T12:00:00-05:00"
    default = _parse_arguments([])
    assert default.port == 8090
    changed = {
        name
        for name in type(settings).__slots__
        if getattr(settings, name) != getattr(default, name)
    }
    # The rest is for those who run it inside their own program.
    assert changed == set(type(settings).__slots__) - {"host", "heartbeat_limit", "exchange"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fault", "{"], "--fault: unexpected end"),
        (["--fault", '{"kind": "x"}'], "no fault 'x'"),
        (["--start", "soon"], "'soon' is no instant such as 20"),
        (["--port", "99999"], "99999 is out of range: at least 0 and at most 65535"),
        (["--port", "http"], "'http' is no number"),
        (["--tick", "0"], "--tick: 0 is out of range"),
        (["--latency", "-5"], "--latency: -5 is out of range"),
        (["--latency", "nan"], "nan is out of range"),
        (["--max-feed-message", "0"], "0 is out of range"),
        (["--access-token-lifetime", "0"], "0 is out of range"),
        (["--nope"], "unrecognized"),
    ],
)
def test_nonsense_on_the_command_line_is_refused(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        _parse_arguments(arguments)

    said = capsys.readouterr().err
    assert "usage:" in said
    assert words in said


def test_help_lists_every_fault_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _parse_arguments(["--help"])

    begins = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert set(KINDS) <= set(begins)
