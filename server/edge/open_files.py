"""Fits the number of client connections to the number of files that the edge may open.

A connection is an open file. An edge that runs out of them accepts nobody, and cannot reach the
server either, so it must stop taking connections before that.
"""

from __future__ import annotations

__all__ = ["connections_held", "word_about_connections"]

import resource

from server.settings import Settings

RESERVED = 128
"""Files of the edge that are no client connections: to the server, logs, threads, admin pages."""
FEWEST = 10
"""Connections without which there is no use in starting."""


def connections_held(settings: Settings, limit: int | None = None) -> int:
    """Returns how many client connections the edge may hold with `limit` open files, else ours."""
    files = _hard_limit() if limit is None else limit
    if files == resource.RLIM_INFINITY:
        return settings.edge_connections

    return max(FEWEST, min(settings.edge_connections, files - RESERVED))


def word_about_connections(settings: Settings, limit: int | None = None) -> str:
    """Returns what an operator should know of that limit; "" where it changes nothing."""
    held = connections_held(settings, limit)
    if held >= settings.edge_connections:
        return ""

    files = _hard_limit() if limit is None else limit
    return (
        f"Only {files} files may be open here (ulimit -Hn), so the edge holds {held} client "
        f"connections, not {settings.edge_connections} (TASTY_EDGE_CONNECTIONS): those beyond are "
        f"closed unheard. Raise the limit to {settings.edge_connections + RESERVED}, for example "
        "with LimitNOFILE= in a unit file."
    )


def _hard_limit() -> int:
    """The edge raises its own limit to the hard one (server/leash.py)."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]
