"""Ten minutes at full rate, a tenth of the readers never reading: the server's memory stays flat.

    python -m tests.bench soak

Not part of what runs by default. TASTY_SOAK_MINUTES changes how long, after two minutes to warm up.
"""

from __future__ import annotations

__all__ = ["main"]

import os
import statistics
import struct
import sys
import time
from contextlib import ExitStack

from tasty.v1 import market_data_stream_pb2 as pb

from tests.bench.figures import Figure, show
from tests.bench.memory import MANY, grpc_header, reading
from tests.bench.processes import Stack, open_stack, rss
from tests.http2 import DATA, END_STREAM, Http2, frame

MINUTES = float(os.environ.get("TASTY_SOAK_MINUTES", "10"))
WARM_UP_S = 120.0
READERS = 90
NEVER_READING = 10
SAMPLE_S = 5.0
MIB = 1 << 20


def slope(samples: list[tuple[float, int]]) -> float:
    """Returns the growth in MiB per ten minutes, by least squares."""
    times, values = zip(*samples, strict=True)
    return statistics.linear_regression(times, values).slope * 600 / MIB


def stall(stack: Stack, held: ExitStack) -> None:
    """Opens streams that are never read."""
    port = int(stack.grpc_target.rpartition(":")[2])
    body = pb.StreamQuotesRequest(symbols=MANY, min_interval=0).SerializeToString()
    for _ in range(NEVER_READING):
        line = held.enter_context(Http2(port))
        line.send(grpc_header())
        line.send(frame(DATA, END_STREAM, 1, struct.pack(">BI", 0, len(body)) + body))


def main() -> bool:
    samples: list[tuple[float, int]] = []
    with open_stack(streams_per_key=5000, streams_total=8000) as stack, ExitStack() as held:
        port = int(stack.grpc_target.rpartition(":")[2])
        held.enter_context(reading("grpc-fast", port, READERS))
        stall(stack, held)
        time.sleep(WARM_UP_S)
        end = time.monotonic() + 60 * MINUTES
        while time.monotonic() < end:
            samples.append((time.monotonic(), rss(stack.server.pid)))
            time.sleep(SAMPLE_S)
        open_at_the_end = stack.streams()
    grown = slope(samples)
    return show(
        f"Soak: {MINUTES:g} minutes, {READERS} readers at full rate and {NEVER_READING} that never "
        "read",
        [
            Figure(
                measure="growth of the server",
                value=f"{grown:.2f} MiB in 10 minutes",
                target="<= 1 MiB",
                met=grown <= 1,
                how=f"from {samples[0][1] / MIB:.1f} to {samples[-1][1] / MIB:.1f} MiB; "
                f"{open_at_the_end} streams open at the end",
            )
        ],
    )


if __name__ == "__main__":
    sys.exit(not main())
