"""Defines the command line: `up` starts everything, `serve` and `simulate` one part each, and
`keys`, `migrate` and `switches` are for the operator.

Every setting is an environment variable, not an option (server/settings.py), because a secret in an
option would be visible in the process list.
"""

from __future__ import annotations

__all__ = ["main"]

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal, NoReturn, TextIO

import click
import uvloop
from pydantic import ValidationError

from server.contract.spelling import decimal_of
from server.errors import InvalidApiKey, Misconfigured, StoreUnavailable, StoreUnusable
from server.secret import Secret
from server.settings import Settings, misspelt

STORE_UNUSABLE = 3
"""Exit code if the database or the keys cannot be used until somebody repairs them."""


class Dollars(click.ParamType):  # type: ignore[type-arg]  # generic for the type checker only
    """An amount above 0, or the word none."""

    name = "dollars"

    def convert(self, value: Any, param: Any, ctx: Any) -> Decimal | Literal["none"]:
        if value == "none":
            return "none"

        amount = decimal_of(str(value))
        if amount is None or amount <= 0:
            self.fail(f"{value!r} is no amount above 0, and not the word none", param, ctx)

        return amount


HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=HELP)
def main() -> None:
    """A gateway to a tastytrade account: REST, server-sent events, gRPC and gRPC-Web on one port.

    \b
    New here?  python -m server up
    It needs no account: by default the broker is a built-in simulator.

    \b
    Settings are environment variables. Those that people change first:
      TASTY_BROKER       simulator (default), sandbox or production
      TASTY_EDGE_PORT    the one port for clients (8000)
      TASTY_DATA_DIR     database, keys and logs (var in a checkout)
      TASTY_RATE_LIMIT   requests a second and API key (2)
    server/settings.py has all of them, each with its meaning.
    """


@main.command()
def up() -> None:
    """Start everything, and stop it with Ctrl-C.

    Runs the simulated broker (unless TASTY_BROKER names a real one), the gRPC server and Envoy as
    child processes, waits until a request gets through all of them, and prints what to try. The
    last line is "ready: http://...". The output of all parts is printed here and kept in
    TASTY_DATA_DIR/logs.

    \b
    The parts live and die together: when one ends, the others are stopped.
    Exit codes:
      0   stopped as asked (Ctrl-C, SIGTERM); a second Ctrl-C does not wait for running requests
      1   a part ended by itself, or never answered
      2   could not start: a port is in use, a setting is wrong, TASTY_DATA_DIR cannot be
          written, or there is no Envoy binary
      3   the store cannot be used: database or keys are missing, damaged, or not the ones that
          belong together; the last lines say what to do, and starting again does not help
    """
    # Not at the top: each command imports only what it runs, and is up that much sooner.
    from server.registration import check_registration
    from server.supervisor import Supervisor

    settings = _settings()
    try:
        check_registration(settings)
    except Misconfigured as error:
        raise click.UsageError(str(error)) from None

    async def run() -> int:
        return await Supervisor(settings).run()

    sys.exit(asyncio.run(run()))


@main.command()
def serve() -> None:
    """Run the gRPC server alone, without Envoy and without the simulator.

    Serves native gRPC, health checking and reflection on TASTY_GRPC_PORT (50051); REST needs the
    edge, which `up` brings. With TASTY_BROKER=simulator it expects a simulator at
    TASTY_SIMULATOR_URL or on TASTY_SIMULATOR_PORT.

    On SIGTERM health checks fail, running calls get TASTY_DRAIN_S seconds to finish, and streams
    get a last message.

    \b
    Database and keys are in TASTY_DATA_DIR and are created at the first start. If keys exist but
    no database, none is created, because the old one must be missing. See migrate --help.
    Exit codes:
      0   stopped as asked
      1   could not start, or failed: a port is in use, or the database does not answer
      2   a setting is wrong
      3   the store cannot be used: database or keys are missing, damaged, or not the ones that
          belong together; the message says what to do, and starting again does not help
    """
    from server import app

    settings = _settings()
    with _in_words(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(app.serve(settings))
        _leave()


@main.command(add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def simulate(arguments: tuple[str, ...]) -> None:
    """Run the simulated tastytrade alone, for any client (see simulate --help).

    OAuth, REST, DXLink and the account streamer on one port.
    """
    from server.simulator.__main__ import main as simulator

    sys.exit(simulator(arguments))


@main.command()
def mcp() -> None:
    """Offer the gateway's tools to a desktop client (MCP over standard input and output).

    Needs a gateway that is already running, at TASTY_GATEWAY_URL or on this machine. The client's
    configuration starts this command with TASTY_API_KEY in its environment. With the simulator all
    tools are offered, with a real account only those that read, unless TASTY_MCP says otherwise.
    """
    from server.mcp_stdio import serve as serve_mcp

    settings = _settings()
    with _in_words():
        asyncio.run(serve_mcp(settings))


@main.group()
def keys() -> None:
    """Show or replace the master keys that protect the stored credentials.

    They are in TASTY_DATA_DIR/master.key, or in TASTY_MASTER_KEY, newest first. Servers may keep
    running, and an interrupted command can be repeated.
    """


@keys.command()
def status() -> None:
    """Show which keys are in use, and by how many tenants.

    Exit code 1 if some credentials cannot be read with the configured keys.
    """
    from server.tenants.rotation import describe, master_keys

    with _in_words():
        state = asyncio.run(master_keys(_settings()))

    click.echo(describe(state))
    sys.exit(1 if state.unreadable else 0)


@keys.command()
def rotate() -> None:
    """Protect all credentials with a new master key, and remove the old one.

    With a key file this creates the new key. With TASTY_MASTER_KEY there are four steps: add the
    new key at the end and restart every server; move it to the front and restart them again; run
    this command; remove the old key.
    """
    from server.tenants.rotation import describe, rotate_master_key

    with _in_words():
        state = asyncio.run(rotate_master_key(_settings()))

    click.echo(describe(state))
    sys.exit(1 if state.unreadable else 0)


@main.command()
@click.option("--init", is_flag=True, help="Create a new store; refused if one exists.")
@click.option("--restored", is_flag=True, help="Accept an older copy, or a different store.")
def migrate(init: bool, restored: bool) -> None:
    """Migrate the database to the current tables, and show which store it is.

    A server does the same when it starts. It also creates a new store, but only together with new
    keys: keys without their database mean that the database is lost, or is looked for in the wrong
    place.

    \b
    --init      creates a new store in spite of existing keys: after a loss, or at the very first
                start with the keys in TASTY_MASTER_KEY and TASTY_PEPPER. It is refused if a store
                exists, so do not put it into a start script.
    --restored  accepts a database that is older than the keys expect, or a different one, after a
                backup was restored. Run it once.
    Both are recorded in the database, as the time before which data may be missing. Two things
    cannot be detected: a copy that was put back before the store was opened again, and the loss of
    database and keys together.
    Exit code 3 if the store cannot be used.
    """
    from server import logs
    from server.store.report import describe, open_once

    if init and restored:
        raise click.UsageError("--init and --restored exclude each other")

    settings = _settings()
    logs.configure(settings)
    with _in_words():
        opened = asyncio.run(open_once(settings, new=init, restored=restored))

    click.echo(describe(opened))


@main.group()
def switches() -> None:
    """Show or set the risk switches of one tenant, or cancel its orders.

    They bind the tenant's API key and accounts, and can be changed only here, not with the key.
    Running servers apply them at once. Switches of the whole server are settings
    (TASTY_ORDERS_READ_ONLY and the others that begin with TASTY_ORDERS_).
    """


KEY_FILE = click.option(
    "--key-file",
    type=click.File(),
    default="-",
    help="File with the API key; standard input by default, so that no process list shows it.",
)


TENANT = click.option(
    "--tenant",
    help="Id of the tenant, or its beginning as the log shows it, instead of its API key.",
)


@switches.command()
@KEY_FILE
@TENANT
def show(key_file: TextIO, tenant: str | None) -> None:
    """Show the switches of a tenant, and the accounts that they bind."""
    from server.orders.risk_limits_command import describe, read_switches

    with _in_words():
        click.echo(describe(asyncio.run(read_switches(_settings(), _whose(key_file, tenant)))))


@switches.command(name="cancel-orders")
@KEY_FILE
@TENANT
def cancel_orders(key_file: TextIO, tenant: str | None) -> None:
    """Cancel all working orders in the accounts of a tenant, once each.

    Prints one line for each order and each complex order. Set --reduce-only first, so that no new
    ones are placed meanwhile. Exit code 1 if a cancel failed, or if its outcome is unknown.
    """
    from server.orders.risk_limits_command import cancel_orders as cancel

    with _in_words():
        done = asyncio.run(
            cancel(
                _settings(),
                _whose(key_file, tenant),
                lambda one: click.echo(
                    f"{one.account_number}  {one.what}  {one.outcome}: {one.words}"
                ),
            )
        )

    sys.exit(0 if done else 1)


@switches.command(name="set")
@KEY_FILE
@TENANT
@click.option("--read-only/--read-write", default=None, help="Whether the key may only read.")
@click.option(
    "--reduce-only/--no-reduce-only",
    default=None,
    help="Whether only cancels and orders that reduce a position are accepted.",
)
@click.option(
    "--order-cap", type=Dollars(), help="Maximum notional of one order, in dollars, or none."
)
@click.option(
    "--day-cap", type=Dollars(), help="Maximum notional of a day's orders, in dollars, or none."
)
@click.option(
    "--symbols", help="Underlyings in which positions may be opened (SPY,AAPL,/ES), or all."
)
def set_switches(
    key_file: TextIO,
    tenant: str | None,
    read_only: bool | None,
    reduce_only: bool | None,
    order_cap: Decimal | Literal["none"] | None,
    day_cap: Decimal | Literal["none"] | None,
    symbols: str | None,
) -> None:
    """Set switches of a tenant; those that are not named stay unchanged.

    Only --read-only stops cancels and orders that reduce a position; the others let them pass.

    \b
    Example, for a key whose orders may not pass $5,000 each and $20,000 a day:
      python -m server switches set --order-cap 5000 --day-cap 20000 < key.txt
    """
    from server.orders.risk_limits import Switches, symbols_from
    from server.orders.risk_limits_command import change_switches, describe

    def change(before: Switches) -> Switches:
        named: dict[str, Any] = {}
        if read_only is not None:
            named["read_only"] = read_only
        if reduce_only is not None:
            named["reduce_only"] = reduce_only
        if order_cap is not None:
            named["order_cap"] = None if order_cap == "none" else order_cap
        if day_cap is not None:
            named["day_cap"] = None if day_cap == "none" else day_cap
        if symbols is not None:
            given = "" if symbols.strip().lower() == "all" else symbols
            named["symbols"] = symbols_from(given)

        return replace(before, **named)

    with _in_words():
        whose = _whose(key_file, tenant)
        click.echo(describe(asyncio.run(change_switches(_settings(), whose, change))))


def _leave() -> NoReturn:
    """Ends the process at once; everything that it held is closed already.

    The ordinary exit would first wait for a thread that still imports an SDK, which can take longer
    than the caller of SIGTERM waits, and then free every object one by one.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _whose(key_file: TextIO, tenant: str | None) -> Secret | str:
    """Returns the given id, or else the API key from the file."""
    if tenant is not None:
        return tenant
    if key_file.isatty():
        return Secret(click.prompt("API key", hide_input=True, err=True))

    return Secret(key_file.readline().strip())


class StoreFailure(click.ClickException):
    """Ends the program with the exit code that tells supervisors not to restart it."""

    exit_code = STORE_UNUSABLE


@contextmanager
def _in_words() -> Iterator[None]:
    """Turns errors that only the operator can resolve into a message and an exit code."""
    try:
        yield
    except StoreUnusable as error:
        raise StoreFailure(str(error)) from error
    except StoreUnavailable as error:
        from server.store.report import explained

        told = explained(error, Settings())
        failure = StoreFailure if isinstance(told, StoreUnusable) else click.ClickException
        raise failure(str(told)) from error
    except (OSError, InvalidApiKey, Misconfigured) as error:
        raise click.ClickException(str(error)) from error


def _settings() -> Settings:
    """Reads the settings; reports each wrong value in a sentence instead of a traceback."""
    for name, meant in misspelt(os.environ).items():
        hint = f"; {meant} is one" if meant else ""
        click.echo(f"Warning: {name} is not a setting{hint}.", err=True)

    try:
        return Settings()
    except ValidationError as error:
        # The value is not repeated: it may be a secret.
        problems = [
            f"TASTY_{str(e['loc'][0]).upper()}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        ]
        raise click.UsageError("\n".join(problems)) from None
