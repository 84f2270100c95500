"""Fan-out: 1,000 readers of 50 symbols on one core, beside a naive server and bare grpc.aio.

The readers are h2load's (C, so that they cost little), on the other core. Each server is asked to
publish a round as soon as every reader has been given the last one; what it delivers is counted by
itself, and divided by the time that passed.
"""

from __future__ import annotations

__all__ = ["main"]

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, show
from tests.bench.processes import pinned
from tests.bench.servers import METHOD, SERVICE

READERS = 1000
SECONDS = 6.0
ROUNDS = 3


class Process:
    """A server under test, pinned to core 0."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [*pinned(0), sys.executable, "-m", "tests.bench.servers", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        hello = self.answer()
        self.port, self.idle_rss = hello["port"], hello["rss"]

    def ask(self, command: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self.answer()

    def answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


@contextmanager
def readers(port: int, count: int, seconds: float) -> Iterator[None]:
    """Opens streams from four connections, which read as fast as data comes, on core 1."""
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder, "request")
        body.write_bytes(b"\0\0\0\0\0")
        client = subprocess.Popen(
            [
                *pinned(1),
                "h2load",
                f"-n{count}",
                "-c4",
                f"-m{count // 4}",
                f"-d{body}",
                "-Hcontent-type: application/grpc",
                "-Hte: trailers",
                f"-Hgrpc-timeout: {int(seconds + 20)}S",
                f"http://127.0.0.1:{port}/{SERVICE}/{METHOD}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            client.kill()
            client.wait()


def measure(kind: str, count: int = READERS, seconds: float = SECONDS) -> dict[str, float]:
    """Returns what one server delivered, with its memory for each reader."""
    process = Process(kind)
    try:
        with readers(process.port, count, seconds):
            waiting = process.ask(f"wait {count}")
            process.ask("run 1 0")
            result: dict[str, float] = process.ask(f"run {seconds} 0")
            result["reader_bytes"] = (waiting["rss"] - process.idle_rss) / count
            return result
    finally:
        process.end()


def main() -> bool:
    if shutil.which("h2load") is None:
        print("fan-out: skipped, h2load is not installed (Debian: nghttp2-client)")
        return True

    best: dict[str, dict[str, float]] = {}
    for _ in range(ROUNDS):
        for kind in ("bare", "ours", "naive"):
            result = measure(kind)
            result["quotes_s"] = result["quotes"] / result["seconds"]
            result["messages_s"] = result["messages"] / result["seconds"]
            if kind not in best or result["quotes_s"] > best[kind]["quotes_s"]:
                best[kind] = result

    ours, naive, bare = best["ours"], best["naive"], best["bare"]
    ratio = ours["quotes_s"] / naive["quotes_s"]
    share = ours["messages_s"] / bare["messages_s"]
    memory = ours["reader_bytes"] / 1024
    return show(
        f"Fan-out: {READERS} readers x 50 symbols, server on one core, best of {ROUNDS} runs",
        [
            Figure(
                measure="quote updates delivered a second",
                value=f"{ours['quotes_s']:,.0f}",
                target=">= 500,000",
                met=ours["quotes_s"] >= 500_000,
            ),
            Figure(
                measure="beside the naive server",
                value=f"{ratio:.0f}x",
                target=">= 20x",
                met=ratio >= 20,
                how=f"naive: {naive['quotes_s']:,.0f}/s, one message an event and reader",
            ),
            Figure(
                measure="messages beside bare grpc.aio",
                value=f"{share:.0%}",
                target=">= 70 %",
                met=share >= 0.7,
                how=f"ours {ours['messages_s']:,.0f}/s, bare {bare['messages_s']:,.0f}/s",
            ),
            Figure(
                measure="memory of a gRPC reader",
                value=f"{memory:.1f} KiB",
                target="<= 40 KiB",
                met=memory <= 40,
                how=f"bare: {bare['reader_bytes'] / 1024:.1f} KiB",
            ),
        ],
    )


if __name__ == "__main__":
    sys.exit(not main())
