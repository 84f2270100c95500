"""An honest tenant beside each attack in turn: what its requests take, what fails, what stays.

    python -m tests.bench neighbours --seconds 20 --only silent,chats

For each attack the gateway is started anew, with the broker's pacing on and the broker 25 ms away.
Honest tenants live there alone for some time, then beside the attack for as long. The p99 of those
two are compared; then the attack ends, and a minute later server and Envoy should have the memory
that they had before it.

Six honest tenants run side by side, each with its 1.5 requests a second, one stream and an order
every five seconds: so 40 seconds give 240 reads and 48 orders. Attackers are programs of their own
that get only what the others leave of the processor (`nice`), and send what their case is about;
how it was answered is printed.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import asyncio
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from server.clock import SystemClock
from server.secret import Secret
from server.settings import Settings
from server.tenants import Credentials, Tenants
from tests.bench.figures import Figure, show
from tests.bench.neighbours_attacks import ATTACKS, FIRST, ONE_CUSTOMER, OWNER, TWINS, Attack
from tests.bench.neighbours_load import Where
from tests.bench.processes import HOME, LOAD_CORE, Stack, key_of, open_stack, pinned, rss

HONEST = 6
SECONDS = 40.0
SETTLE_S = 60.0
LATENCY_MS = 25
FILES = 20_000
MIB = 1 << 20
SAMPLE_S = 0.25
READS, ORDERS, MEMORY = 3.0, 2.0, 1.10
"""The targets: p99 of reads and of orders, and memory, beside those of without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What the honest tenants met in some time."""

    took: Mapping[str, list[float]]
    failures: Mapping[str, int]

    def p99(self, kind: str) -> float:
        """In milliseconds; the longest of fewer than a hundred."""
        took = sorted(self.took.get(kind, ()))
        return took[math.ceil(len(took) * 0.99) - 1] * 1000 if took else math.nan

    def p50(self, kind: str) -> float:
        took = sorted(self.took.get(kind, ()))
        return took[len(took) // 2] * 1000 if took else math.nan


class Child:
    """A program that is told lines and answers in lines; it ends with the block."""

    def __init__(self, *command: str, nice: int = 0) -> None:
        prefix = ["nice", "-n", str(nice)] if nice else []
        self._process = subprocess.Popen(
            [*prefix, *pinned(LOAD_CORE), sys.executable, "-W", "ignore", "-m", *command],
            env=os.environ | {"PYTHONPATH": f"{HOME}:{HOME / 'gen'}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_error: object) -> None:
        self.end()

    def line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args} ended")

        return line

    def tell(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def close_input(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def end(self) -> None:
        self.close_input()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

        assert self._process.stdout is not None
        self._process.stdout.close()


async def make_tenants(folder: Path, more: int) -> None:
    """Writes the tenants into a data folder, without the server that could only be asked slowly."""
    numbers = [*range(HONEST), OWNER, *range(FIRST, FIRST + 30), *TWINS]
    numbers += range(10_000, 10_000 + more)
    async with Tenants(Settings(data_dir=folder), SystemClock()) as tenants:
        for number in numbers:
            key = key_of(number)
            token = ONE_CUSTOMER if number in TWINS else key
            given = Credentials(client_secret=Secret("bench"), refresh_token=Secret(token))
            await tenants.save(Secret(key), given)


@contextmanager
def peak_of(stack: Stack) -> Iterator[list[int]]:
    """Watches the memory; the list ends with the most that there was."""
    peak = [stack.memory()]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(SAMPLE_S):
            peak.append(max(peak.pop(), stack.memory()))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield peak
    finally:
        ended.set()
        watching.join()


def lived(honest: Child) -> Lived:
    """Lets the honest tenants live for their time."""
    honest.tell()
    return Lived(**json.loads(honest.line()))


def measure(name: str, attack: Attack, seconds: float, settle_s: float) -> list[Figure]:
    """Runs one attack, and returns its lines."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        asyncio.run(make_tenants(data, attack.tenants))
        settings = {"rate_limit": 2, "broker_pacing": "on", "data_dir": data, **attack.settings}
        with open_stack("--latency", str(LATENCY_MS), **settings) as stack:
            where = Where(
                url=stack.url, target=urlsplit(stack.url).netloc, simulator_url=stack.simulator_url
            )
            asked: dict[str, Any] = {
                "url": stack.url,
                "keys": [key_of(number) for number in range(HONEST)],
                "seconds": seconds,
                "owner": key_of(OWNER) if attack.renews else "",
            }
            with Child("tests.bench.neighbours_honest", json.dumps(asked)) as honest:
                honest.line()
                alone = lived(honest)
                before, kept = memory_of(stack), size_of(data)
                with (
                    peak_of(stack) as peak,
                    Child(
                        "tests.bench.neighbours_attacks", name, json.dumps(asdict(where)), nice=19
                    ) as attacker,
                ):
                    time.sleep(attack.lead_s)
                    beside = lived(honest)
                    attacker.close_input()
                    load = json.loads(attacker.line())
            time.sleep(settle_s)
            lines = figures(attack, alone, beside, load)
            lines.insert(4, memory(before, max(peak), memory_of(stack), settle_s))
            lines.append(stored(kept, size_of(data)))
            return lines


def figures(attack: Attack, alone: Lived, beside: Lived, load: Mapping[str, Any]) -> list[Figure]:
    failures = {**beside.failures, **{f"alone: {k}": n for k, n in alone.failures.items()}}
    lines = [
        ratio("reads", "read", alone, beside, READS),
        ratio("orders", "place", alone, beside, ORDERS),
        ratio("cancels", "cancel", alone, beside, ORDERS),
        Figure(
            measure="failures",
            value=str(sum(failures.values())),
            target="0",
            met=not failures,
            how="; ".join(f"{n} x {text}" for text, n in list(failures.items())[:4]),
        ),
    ]
    if attack.renews:
        lines.insert(3, ratio("renewals of the owner", "renewal", alone, beside, READS))

    made = ", ".join(f"{n:,} {text}" for text, n in sorted(load["counts"].items()))
    broken = load["broken"]
    lines.append(
        Figure(
            measure="load that was made",
            value="broken" if broken else "",
            target="",
            met=False if broken else None,
            how=made or "none",
        )
    )
    return lines


def memory_of(stack: Stack) -> tuple[int, int]:
    """Returns the resident bytes of server and Envoy."""
    return rss(stack.server.pid), rss(stack.envoy_pid)


def memory(before: tuple[int, int], peak: int, after: tuple[int, int], settle_s: float) -> Figure:
    def told(parts: tuple[int, int]) -> str:
        return f"{parts[0] / MIB:.0f} + {parts[1] / MIB:.0f} MiB"

    return Figure(
        measure=f"memory {settle_s:g} s later",
        value=f"{sum(after) / sum(before):.2f}x",
        target=f"<= {MEMORY:g}x",
        met=sum(after) <= sum(before) * MEMORY,
        how=f"server + Envoy: {told(before)} before, {told(after)} after; "
        f"{peak / MIB:.0f} MiB at most",
    )


def size_of(folder: Path) -> int:
    """Returns the bytes of all files in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def stored(before: int, after: int) -> Figure:
    return Figure(
        measure="data folder",
        value=f"+{(after - before) / MIB:.1f} MiB",
        target="",
        met=None,
        how=f"{before / MIB:.1f} MiB before",
    )


def ratio(noun: str, kind: str, alone: Lived, beside: Lived, target: float) -> Figure:
    """Compares the p99 of two times."""
    before, during = alone.p99(kind), beside.p99(kind)
    return Figure(
        measure=f"{noun}, p99",
        value="none" if math.isnan(during) else f"{during / before:.2f}x",
        target=f"<= {target:g}x",
        met=during <= before * target,
        how=f"{before:.0f} ms alone, {during:.0f} ms beside it, of {len(beside.took.get(kind, ()))}"
        f" (p50 {alone.p50(kind):.0f} and {beside.p50(kind):.0f} ms)",
    )


def main(*arguments: str) -> bool:
    parser = argparse.ArgumentParser(
        prog="neighbours", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each of the two times")
    parser.add_argument("--settle", type=float, default=SETTLE_S, help="until memory is looked at")
    parser.add_argument("--only", default="", help=f"some of {','.join(ATTACKS)}")
    asked = parser.parse_args(arguments)
    names = [name for name in asked.only.split(",") if name] or list(ATTACKS)
    if unknown := [name for name in names if name not in ATTACKS]:
        parser.error(f"no attack {', '.join(unknown)}; there are {', '.join(ATTACKS)}")

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, FILES)), hard))
    met = True
    for name in names:
        attack = ATTACKS[name]
        lines = measure(name, attack, asked.seconds, asked.settle)
        met &= show(f"Beside {attack.what} ({name}, case {attack.case})", lines)
        sys.stdout.flush()

    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return met


if __name__ == "__main__":
    sys.exit(not main(*sys.argv[1:]))
