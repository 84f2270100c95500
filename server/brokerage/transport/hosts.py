"""Which hosts a setting means, and where the SDK's requests really go.

The SDK knows the production hosts and the sandbox's by name and takes no other. So for the
simulator it is left to believe in the production hosts, and each request is sent elsewhere at the
last moment; a request to any other host is then refused, so that a simulated run cannot leave
the machine by accident.
"""

from __future__ import annotations

__all__ = ["Hosts", "hosts_for"]

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from server.settings import Settings

API_HOST = "api.tastyworks.com"
STREAMER_HOST = "streamer.tastyworks.com"
STREAMER_PATH = "/streamer"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """The address book of one environment."""

    is_test: bool = False
    """Whether the SDK uses its own addresses of the sandbox."""
    moved: Mapping[str, str] = field(default_factory=dict)
    """Base addresses to use instead, by the host that the SDK asks for."""
    only: frozenset[str] = frozenset()
    """The hosts that may be reached; empty means any."""


def hosts_for(settings: Settings) -> Hosts:
    """Returns the address book of `settings.broker`."""
    if settings.broker != "simulator":
        return Hosts(is_test=settings.broker == "sandbox")

    base = settings.simulator_url or f"http://127.0.0.1:{settings.simulator_port}"
    base = base.rstrip("/")
    own = urlsplit(base).hostname or ""
    return Hosts(
        moved={API_HOST: base, STREAMER_HOST: base + STREAMER_PATH},
        only=LOOPBACK | {own},
    )
