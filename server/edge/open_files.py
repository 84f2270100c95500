"""Fits the number of client connections to the number of files that the edge may open.

A connection is an open file. An edge that runs out of them accepts nobody, and cannot reach the
server either, so it must stop taking connections before that.

Connections that have not said anything yet are counted apart, and more of them are let in: they end
after some seconds, and meanwhile must not take the place of those that are used. One address has
28,232 ports as Linux hands them out, and 65,535 at most; so where files and memory allow it, no
single address can keep the others out by silence.
"""

from __future__ import annotations

__all__ = ["Places", "places_of", "word_about_places"]

import resource
from dataclasses import dataclass

from server.settings import Settings

RESERVED = 128
"""Files of the edge that are no client connections: to the server, logs, threads, admin pages."""
PORTS_OF_ONE_ADDRESS = 65_535
MIB = 1 << 20
SILENT_COST = 12 * 1024
"""Bytes that Envoy holds for a silent connection; measured: 11,000."""
FEWEST = 10
"""Connections without which there is no use in starting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """How many client connections the edge may have."""

    used: int
    """Those that have begun to speak."""
    accepted: int
    """Those, and the silent ones."""


def places_of(settings: Settings, limit: int | None = None) -> Places:
    """Returns how many connections there is room for with `limit` open files, else with ours."""
    wanted = settings.edge_connections
    # Half of the memory at most, so that they cannot make the edge shed requests.
    silent = min(PORTS_OF_ONE_ADDRESS, settings.edge_heap_mib * MIB // 2 // SILENT_COST)
    files = _hard_limit() if limit is None else limit
    if files == resource.RLIM_INFINITY:
        return Places(used=wanted, accepted=wanted + silent)

    room = max(FEWEST, files - RESERVED)
    # A quarter for the silent, at least.
    used = max(FEWEST, min(wanted, room * 3 // 4))
    return Places(used=used, accepted=max(used, min(room, wanted + silent)))


def word_about_places(settings: Settings, limit: int | None = None) -> str:
    """Returns what an operator should know of that limit; "" where it changes nothing."""
    used = places_of(settings, limit).used
    if used >= settings.edge_connections:
        return ""

    files = _hard_limit() if limit is None else limit
    needed = settings.edge_connections * 4 // 3 + RESERVED + 1
    return (
        f"Only {files} files may be open here (ulimit -Hn), so the edge holds {used} client "
        f"connections, not {settings.edge_connections} (TASTY_EDGE_CONNECTIONS): those beyond are "
        f"closed unheard. Raise the limit to {needed} or more, for example with LimitNOFILE= in a "
        "unit file."
    )


def _hard_limit() -> int:
    """The edge raises its own limit to the hard one (server/die_with_parent.py)."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]
