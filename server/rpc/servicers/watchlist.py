"""Serves watchlists: the broker's public ones, and the user's own to read and change."""

from __future__ import annotations

__all__ = ["Watchlists"]

from tasty.v1 import watchlist_service_pb2 as pb
from tasty.v1 import watchlist_service_pb2_grpc

from server.brokerage import Brokerage
from server.rpc.call import current_call
from server.wire.watchlist import entries_from, entry_to, name_from, watchlist_to

PRIVATE = "private"
DEFAULT_NAME = "main"


class Watchlists(watchlist_service_pb2_grpc.WatchlistServiceServicer):
    """Reads and changes the calling tenant's watchlists."""

    def __init__(self, brokerage: Brokerage) -> None:
        self._brokerage = brokerage

    async def ListWatchlists(  # noqa: N802 - named by the contract
        self, request: pb.ListWatchlistsRequest, context: object
    ) -> pb.ListWatchlistsResponse:
        kind = request.watchlist_type or PRIVATE
        session = await self._brokerage.session(current_call().tenant)
        if request.HasField("name"):
            one = await session.watchlists.one(kind, name_from(request.name))
            return pb.ListWatchlistsResponse(watchlists=[watchlist_to(one)])

        lists = await session.watchlists.all(kind)
        return pb.ListWatchlistsResponse(watchlists=[watchlist_to(each) for each in lists])

    async def ManageWatchlist(  # noqa: N802 - named by the contract
        self, request: pb.ManageWatchlistRequest, context: object
    ) -> pb.ManageWatchlistResponse:
        entries = entries_from(request.symbols)
        name = name_from(request.name) if request.HasField("name") else DEFAULT_NAME
        session = await self._brokerage.session(current_call().tenant)
        action = request.action
        missing: list[str] = []
        if action == "add":
            changed, created = await session.watchlists.add(name, entries)
            action = "create" if created else action
        else:
            symbols = [entry.symbol for entry in entries]
            changed, missing = await session.watchlists.remove(name, symbols)

        return pb.ManageWatchlistResponse(
            success=True,
            action=action,
            watchlist=changed.name,
            symbols_count=len(changed.entries),
            watchlist_entries=[entry_to(each) for each in changed.entries],
            not_found=missing,
        )

    async def DeleteWatchlist(  # noqa: N802 - named by the contract
        self, request: pb.DeleteWatchlistRequest, context: object
    ) -> pb.DeleteWatchlistResponse:
        name = name_from(request.name)
        session = await self._brokerage.session(current_call().tenant)
        await session.watchlists.delete(name)
        return pb.DeleteWatchlistResponse(success=True, watchlist=name)
