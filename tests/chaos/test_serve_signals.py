"""`python -m server serve` under SIGTERM: streams get their last message, and nothing is left."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import pytest
from tasty.v1 import market_data_stream_pb2, stream_pb2
from tasty.v1.market_data_service_pb2_grpc import MarketDataServiceStub

from server.simulator import Simulator, SimulatorSettings
from server.tenants import DEMO_API_KEY
from tests.effort import one_in
from tests.waiting import eventually

HOME = Path(__file__).parents[2]
LONGEST_STOP_S = 10.0


@asynccontextmanager
async def serving(
    folder: Path, simulator_url: str, *, packages: Path
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """Yields the process and its gRPC port; kills what is left of it.

    `packages` is a folder that is searched for modules before all others.
    """
    settings = {
        "TASTY_GRPC_PORT": "0",
        "TASTY_METRICS_PORT": "0",
        "TASTY_DATA_DIR": str(folder),
        "TASTY_SIMULATOR_URL": simulator_url,
        "TASTY_LOG_FORMAT": "json",
        "TASTY_DRAIN_NOTICE_S": "0.1",
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("TASTY_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "server",
        "serve",
        env={**others, **settings, "PYTHONPATH": f"{packages}:{HOME}"},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async for line in process.stderr:
            if line.startswith(b"{") and (entry := json.loads(line))["event"] == "serving":
                break
        else:
            pytest.fail("the server did not start")
        # Whatever else it logs must be read, or it would stop at a full pipe.
        reading = asyncio.ensure_future(process.stderr.read())
        yield process, entry["grpc_port"]
        await reading
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


# One of them in `make test`: both set the same event.
@pytest.mark.parametrize("number", one_in(2, [signal.SIGTERM, signal.SIGINT]))
async def test_a_signal_ends_streams_with_a_word_and_the_process_with_zero(
    number: signal.Signals, tmp_path: Path
) -> None:
    """Nor does the stop wait for what is still being imported.

    That is the model's SDK, in a thread after the start, which nothing can interrupt.
    """
    slow = tmp_path / "packages" / "anthropic"
    slow.mkdir(parents=True)
    begun = slow / "begun"
    (slow / "__init__.py").write_text(
        f"import pathlib, time\npathlib.Path({str(begun)!r}).touch()\ntime.sleep(120)\n"
    )
    request = market_data_stream_pb2.StreamQuotesRequest(symbols=["SPY", "AAPL"])
    key = (("x-api-key", DEMO_API_KEY.reveal()),)
    async with (
        Simulator(SimulatorSettings(port=0)) as sim,
        serving(tmp_path / "data", sim.url, packages=slow.parent) as (process, port),
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        stream = MarketDataServiceStub(channel).StreamQuotes(request, metadata=key)
        await stream.read()
        await eventually(begun.exists, 60)
        process.send_signal(number)
        started = time.monotonic()
        last = None
        async with asyncio.timeout(60):  # half of the import
            while (message := await stream.read()) is not grpc.aio.EOF:
                last = message
            code = await process.wait()
        took = time.monotonic() - started

    assert last is not None
    assert last.kind == stream_pb2.STREAM_EVENT_KIND_END
    assert code == 0
    assert took < LONGEST_STOP_S
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
