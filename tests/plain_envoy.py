"""Envoy as a plain proxy: what our own edge is held against, in speed and in HTTP/2."""

from __future__ import annotations

__all__ = ["PlainEnvoy", "open_plain_envoy"]

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

from server.edge.envoy import envoy_binary
from tests.stack import free_ports

CONFIG = Template(Path(__file__).with_suffix(".yaml").read_text())
START_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainEnvoy:
    """A running one."""

    port: int
    pid: int


@contextmanager
def open_plain_envoy(app_port: int, prefix: Sequence[str] = ()) -> Iterator[PlainEnvoy]:
    """Runs Envoy, with one thread, before what listens on `app_port`; `prefix` as of a command."""
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "envoy.yaml")
        config.write_text(CONFIG.substitute(port=port, app=app_port))
        command = [*prefix, str(envoy_binary()), "-c", str(config), "--concurrency", "1"]
        with subprocess.Popen([*command, "--disable-hot-restart", "--log-level", "off"]) as envoy:
            try:
                _until_it_listens(port, envoy)
                yield PlainEnvoy(port=port, pid=envoy.pid)
            finally:
                envoy.terminate()


def _until_it_listens(port: int, envoy: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while envoy.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)  # nothing but a connection says that it listens
        else:
            return

    raise RuntimeError("the plain Envoy did not start")
