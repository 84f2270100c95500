"""`python -m server ...` as a command that ends: in a process of its own, or in that of the test.

The first is the real thing and takes a processor for half a second or more, nearly all of it for
imports. The second calls the same entry with an environment of its own and sees the same words and
the same exit code, so a test of many cases takes the first for one of them.
"""

from __future__ import annotations

__all__ = ["Said", "in_own_process", "in_this_process"]

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from server.cli import main

HOME = Path(__file__).parents[1]
LIMIT_S = 60
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
OTHERS = ("TASTY_", "ANTHROPIC_")
"""Whose settings a developer may have: none of them counts here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command left."""

    code: int
    out: str
    err: str


def in_own_process(*arguments: str, given: str = "", **variables: str) -> Said:
    """Runs the command with these environment variables and `given` on standard input."""
    done = subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        input=given,
        env={"PATH": os.defpath, "PYTHONPATH": str(HOME), **variables},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return Said(code=done.returncode, out=done.stdout, err=done.stderr)


def in_this_process(*arguments: str, given: str = "", **variables: str) -> Said:
    """Does the same without a process; not for a test that is asynchronous, nor for `serve`.

    An error that is not in words is raised. What the command changes of this process is put back.
    """
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    hidden = dict.fromkeys(name for name in os.environ if name.startswith(OTHERS))
    try:
        done = CliRunner().invoke(
            main,
            arguments,
            input=given,
            env={**hidden, **variables},
            prog_name="python -m server",
            catch_exceptions=False,
        )
    finally:
        # A loop that gives up a signal leaves Python's own handler for it, not the one before.
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return Said(code=done.exit_code, out=done.stdout, err=done.stderr)
