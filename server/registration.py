"""Decides who may register a new API key, and whether the server may start like that."""

from __future__ import annotations

__all__ = ["SHORTEST_ADMIN_KEY", "anybody_may_register", "check_registration"]

from ipaddress import ip_address

from server.errors import Misconfigured
from server.settings import Settings

SHORTEST_ADMIN_KEY = 16
"""Characters of an administrator's key with a real broker: beyond guessing even by many."""


def anybody_may_register(settings: Settings) -> bool:
    """Tells whether a new API key needs no administrator.

    Never where there is one: then a new key needs his key. Otherwise the setting decides; `auto`
    means beside the simulator, where nothing is real, and where only this machine can call.
    """
    if settings.admin_key.get_secret_value():
        return False

    if settings.registration == "auto":
        return settings.broker == "simulator" or _is_loopback(settings.host)

    return settings.registration == "open"


def check_registration(settings: Settings) -> None:
    """Raises `Misconfigured` where others can reach a real broker that nobody administers."""
    if settings.broker == "simulator":
        return

    admin_key = settings.admin_key.get_secret_value()
    if admin_key and len(admin_key) < SHORTEST_ADMIN_KEY:
        raise Misconfigured(
            f"TASTY_ADMIN_KEY is too short: with TASTY_BROKER={settings.broker} it needs at least "
            f"{SHORTEST_ADMIN_KEY} characters. Make one with: openssl rand -hex 32"
        )

    if not admin_key and settings.registration == "auto" and not _is_loopback(settings.host):
        raise Misconfigured(
            f"TASTY_BROKER={settings.broker} and TASTY_HOST={settings.host}: others can reach this "
            "server, and nobody administers who may use it. Set TASTY_ADMIN_KEY (openssl rand -hex "
            "32), or TASTY_REGISTRATION=open if anybody is to register, or TASTY_REGISTRATION="
            "closed if nobody is."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
