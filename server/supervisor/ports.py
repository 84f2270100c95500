"""Ports: free ones where a setting says 0, and a sentence where a port is taken.

The look before the leap is for that sentence: a child that cannot listen says so in its own words,
somewhere in the log, after everything else has been started.
"""

from __future__ import annotations

__all__ = ["PortTaken", "settled"]

import errno
import socket

from server.settings import Settings


class PortTaken(Exception):
    """Something else listens where we must."""

    def __init__(self, *, host: str, port: int, setting: str, why: str) -> None:
        super().__init__(
            f"Cannot listen on {host}:{port} ({why}). Stop what uses that port, or set {setting} "
            "to another one."
        )


def settled(settings: Settings) -> Settings:
    """Returns the settings with real ports; raises PortTaken where one cannot be had.

    Between this look and the child's own binding somebody else may come first. Then the child
    fails, and with it the start.
    """
    names = ["edge_port", "admin_port", "grpc_port", "metrics_port"]
    if settings.broker == "simulator" and not settings.simulator_url:
        names.append("simulator_port")
    # Held open until all are known, so that no free port is given out twice.
    held: list[socket.socket] = []
    try:
        found = {name: _listenable(settings, name, held) for name in names}
    finally:
        for one in held:
            one.close()
    return settings.model_copy(update=found)


def _listenable(settings: Settings, name: str, held: list[socket.socket]) -> int:
    loopback_only = name in ("admin_port", "metrics_port")
    host = "127.0.0.1" if loopback_only else settings.host
    port: int = getattr(settings, name)
    one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    held.append(one)
    # A port that only waits for old connections to be forgotten is free for a listener.
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        one.bind((host, port))
        # Two sockets may be bound to one port, but only one may listen.
        one.listen()
    except OSError as error:
        taken = "it is in use" if error.errno == errno.EADDRINUSE else str(error.strerror).lower()
        setting = f"TASTY_{name.upper()}"
        raise PortTaken(host=host, port=port, setting=setting, why=taken) from None
    return int(one.getsockname()[1])
