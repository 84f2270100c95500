"""Runs the simulated broker as a program of its own, until it is told to stop.

The last line that it prints at start is `ready: http://HOST:PORT`; the program that starts it waits
for that line.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import asyncio
import shutil
import signal
import sys
import textwrap
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import orjson
import uvloop

from server.simulator.app import Simulator
from server.simulator.customers import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN
from server.simulator.envelope import BrokerError
from server.simulator.faults import MODEL_KINDS, REST_KINDS, SOCKET_KINDS, Fault, parse_fault
from server.simulator.settings import SimulatorSettings

DEFAULT_PORT = 8090


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the simulator until SIGTERM or SIGINT; returns the exit status."""
    settings = _parse_arguments(argv)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings))
    except OSError as error:
        print(f"simulator: {error}", file=sys.stderr)  # noqa: T201 - a program speaks to its user
        return 1

    return 0


async def _serve(settings: SimulatorSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    async with Simulator(settings) as simulator:
        print(  # noqa: T201 - the same
            f"simulated tastytrade: REST {simulator.url}, DXLink {_ws_url(simulator)}/dxlink, "
            f"account streamer {_ws_url(simulator)}/streamer\n"
            f"client secret {DEMO_CLIENT_SECRET}, refresh token {DEMO_REFRESH_TOKEN}, "
            "or any others for a customer of their own\n"
            f"ready: {simulator.url}",
            flush=True,
        )
        await stop.wait()


def _ws_url(simulator: Simulator) -> str:
    return simulator.url.replace("http", "ws", 1)


def _parse_arguments(argv: Sequence[str] | None) -> SimulatorSettings:
    default = SimulatorSettings()
    parser = argparse.ArgumentParser(
        prog="python -m server simulate",
        description="A stand-alone tastytrade: OAuth, REST, DXLink and account streamer on one "
        "port.\nHolds no real account, no real price and no real money.",
        epilog="\n\n".join(
            (
                _list_kinds("faults of REST:", REST_KINDS),
                _list_kinds("faults of the feed and the account streamer:", SOCKET_KINDS),
                _list_kinds("faults of the stand-in model:", MODEL_KINDS),
            )
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_broker_options(parser, default)
    _add_feed_options(parser)
    parser.add_argument(
        "--fault",
        type=_parse_fault_argument,
        action="append",
        default=[],
        metavar="JSON",
        help='such as \'{"kind": "status", "path": "/accounts/*", "status": 503, "count": 2}\'; '
        "may be repeated; see also POST /_admin/faults",
    )
    given = vars(parser.parse_args(argv))
    given["faults"] = tuple(given.pop("fault"))
    return SimulatorSettings(**{name: value for name, value in given.items() if value is not None})


def _add_broker_options(parser: argparse.ArgumentParser, default: SimulatorSettings) -> None:
    add = parser.add_argument
    add("--host", default=default.host, help="address to listen on (%(default)s)")
    add(
        "--port",
        type=_parse_port,
        default=DEFAULT_PORT,
        help="the one port; 0: any free (%(default)s)",
    )
    add(
        "--seed",
        type=int,
        default=default.seed,
        help="another number, another market (%(default)s)",
    )
    add("--start", type=_parse_instant, help="instant at which simulated time starts (ISO 8601)")
    add("--real-hours", action="store_true", help="keep the exchanges' hours (default: open)")
    add("--latency", type=_parse_milliseconds, metavar="MS", help="emulated round trip (0)")
    add("--rate-limits", action="store_true", help="429 beyond the broker's rates")
    add("--access-token-lifetime", type=_parse_seconds, metavar="S", help="15 minutes by default")
    add("--quote-token-lifetime", type=_parse_seconds, metavar="S", help="24 hours by default")


def _add_feed_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--feed-restart",
        type=_parse_seconds,
        metavar="S",
        help="close the feed with 1012 at that age",
    )
    add(
        "--tick",
        type=_parse_positive_milliseconds,
        metavar="MS",
        help="how often the market moves (100)",
    )
    add(
        "--min-aggregation",
        type=_parse_milliseconds,
        metavar="MS",
        help="shortest aggregation period granted (100)",
    )
    add(
        "--max-feed-message",
        type=_parse_bytes,
        metavar="BYTES",
        help="longer messages: close 1009 (65536)",
    )
    add("--auto-candle-history", action="store_true", help="candle history for contract AUTO, too")


def _list_kinds(title: str, kinds: Mapping[str, str]) -> str:
    """Formats a title and a list of fault kinds for the help text."""
    width, margin = max(map(len, kinds)) + 4, min(shutil.get_terminal_size().columns, 100)
    lines = [title]
    for kind, text in kinds.items():
        lines += textwrap.wrap(
            text,
            margin - 2,
            initial_indent=f"  {kind:<{width - 2}}",
            subsequent_indent=" " * width,
        )
    return "\n".join(lines)


def _parse_port(text: str) -> int:
    return int(_parse_number(text, 0, 65535))


def _parse_bytes(text: str) -> int:
    return int(_parse_number(text, 1))


def _parse_instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        form = f"{text!r} is no instant such as 2025-12-15T14:30:00-05:00"
        raise argparse.ArgumentTypeError(form) from None

    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _parse_seconds(text: str) -> timedelta:
    return timedelta(seconds=_parse_number(text, 0.001))


def _parse_milliseconds(text: str) -> timedelta:
    return timedelta(milliseconds=_parse_number(text, 0))


def _parse_positive_milliseconds(text: str) -> timedelta:
    return timedelta(milliseconds=_parse_number(text, 1))


def _parse_number(text: str, low: float, high: float = 1e9) -> float:
    """Returns the number in an argument; one outside its range ends the program."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None

    if not low <= value <= high:
        most = "" if high == 1e9 else f" and at most {high:g}"
        raise argparse.ArgumentTypeError(f"{text} is out of range: at least {low:g}{most}")

    return value


def _parse_fault_argument(text: str) -> Fault:
    try:
        return parse_fault(orjson.loads(text))
    except (BrokerError, orjson.JSONDecodeError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    raise SystemExit(main())
