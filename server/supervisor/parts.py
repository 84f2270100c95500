"""The parts that are programs of our own: how each is called, and what it may see.

Secrets travel in the environment, and only to the server: arguments are everybody's to read, and
neither the simulator nor the edge needs one.
"""

from __future__ import annotations

__all__ = ["Part", "server", "simulator"]

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from server.settings import Settings, misspelt

HOME = Path(__file__).parents[2]

HARMLESS = ("HOME", "LANG", "LC_ALL", "PATH", "PYTHONTZPATH", "TMPDIR", "TZ", "VIRTUAL_ENV")
"""What a program needs of our environment, and no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One program to run."""

    name: str
    command: tuple[str, ...]
    env: dict[str, str]


def simulator(settings: Settings) -> Part:
    """Returns the simulated broker, on the port that the settings have by now."""
    port = str(settings.simulator_port)
    return Part(
        name="simulator",
        command=(*_ourselves(), "simulate", "--host", settings.host, "--port", port),
        env=_python({name: os.environ[name] for name in HARMLESS if name in os.environ}),
    )


def server(settings: Settings) -> Part:
    """Returns the gRPC server, with the settings that `up` has settled in place of ours."""
    settled = {
        "TASTY_DATA_DIR": str(settings.data_dir.resolve()),
        "TASTY_GRPC_PORT": str(settings.grpc_port),
        "TASTY_METRICS_PORT": str(settings.metrics_port),
        "TASTY_SIMULATOR_PORT": str(settings.simulator_port),
    }
    return Part(
        name="server",
        command=(*_ourselves(), "serve"),
        env=_python({**_sound(), **settled}),
    )


def _sound() -> dict[str, str]:
    """Our environment without what `up` has warned of already."""
    wrong = misspelt(os.environ)
    return {name: value for name, value in os.environ.items() if name not in wrong}


def _ourselves() -> tuple[str, ...]:
    return (sys.executable, "-m", "server")


def _python(env: dict[str, str]) -> dict[str, str]:
    # Found from any folder, and heard at once.
    paths = [str(HOME), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**env, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
