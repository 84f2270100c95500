"""Reads and changes a tenant's watchlists, one change at a time.

The broker replaces a list as a whole: two changes that read the same state would lose one of them.
Changes made elsewhere at the same moment, in the broker's own apps, can still be lost; it offers no
way to notice.
"""

from __future__ import annotations

__all__ = ["WatchlistApi"]

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from server.brokerage.api.json_reader import JsonReader, ParseFaults, items_of, read_all
from server.brokerage.api.watchlists import (
    Watchlist,
    WatchlistEntry,
    added,
    read_watchlist,
    removed,
)
from server.brokerage.transport.paths import segment
from server.errors import WatchlistNotFound

if TYPE_CHECKING:
    from server.brokerage.transport.connection import Connection  # imports the SDK

ENTRIES = "watchlist-entries"


class WatchlistApi:
    """Reads and changes one tenant's watchlists."""

    def __init__(self, connection: Connection, faults: ParseFaults) -> None:
        self._connection = connection
        self._faults = faults
        self._changing = asyncio.Lock()

    async def all(self, kind: str) -> tuple[Watchlist, ...]:
        """Returns the "private" lists, or the "public" ones."""
        path = "/public-watchlists" if kind == "public" else "/watchlists"
        data = await self._connection.get(path)
        return read_all(items_of(data), read_watchlist, self._faults, "watchlist")

    async def one(self, kind: str, name: str) -> Watchlist:
        """Returns one list; raises WatchlistNotFound.

        All of them are asked for: a name may hold slashes, and the error names the choices.
        """
        lists = await self.all(kind)
        for each in lists:
            if each.name == name:
                return each

        raise WatchlistNotFound(name, [each.name for each in lists])

    async def add(self, name: str, entries: Sequence[WatchlistEntry]) -> tuple[Watchlist, bool]:
        """Returns the private list with the entries in it, and whether it had to be made."""
        async with self._changing:
            try:
                before = await self.one("private", name)
            except WatchlistNotFound:
                body = {"name": name, ENTRIES: added((), entries)}
                return await self._write("POST", "/watchlists", body), True

            return await self._replace(before, added(_entries(before), entries)), False

    async def remove(self, name: str, symbols: Sequence[str]) -> tuple[Watchlist, list[str]]:
        """Returns the private list without the symbols, and which of them were not in it."""
        async with self._changing:
            before = await self.one("private", name)
            entries, missing = removed(_entries(before), symbols)
            return await self._replace(before, entries), missing

    async def delete(self, name: str) -> None:
        """Deletes a private list; raises WatchlistNotFound."""
        async with self._changing:
            await self.one("private", name)
            await self._connection.send("DELETE", f"/watchlists/{segment(name)}")

    async def _replace(self, before: Watchlist, entries: list[Any]) -> Watchlist:
        if entries == _entries(before):
            return before

        body = {**before.raw, ENTRIES: entries}
        return await self._write("PUT", f"/watchlists/{segment(before.name)}", body)

    async def _write(self, method: str, path: str, body: dict[str, Any]) -> Watchlist:
        data = await self._connection.send(method, path, body)
        written = data if isinstance(data, dict) and ENTRIES in data else body
        raw = {"name": body["name"], **written}
        return read_watchlist(JsonReader(raw, self._faults, "watchlist"))


def _entries(watchlist: Watchlist) -> list[Any]:
    return list(watchlist.raw.get(ENTRIES) or ())
