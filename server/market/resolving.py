"""Resolves many instruments; an unknown one does not fail the others."""

from __future__ import annotations

__all__ = ["resolve_all"]

from collections.abc import Sequence

from server.brokerage.instruments.lookup import InstrumentQuery, Lookup, Resolved
from server.brokerage.session import BrokerSession
from server.errors import GatewayError, NotAnOption, NotFound
from server.market.topics import Kind


async def resolve_all(
    session: BrokerSession, lookup: Lookup, kind: Kind, queries: Sequence[InstrumentQuery]
) -> tuple[list[Resolved | None], dict[InstrumentQuery, GatewayError]]:
    """Returns an instrument, or None, for each query, and why where there is none.

    Raises BadInput for a query that cannot be right: that is the caller's mistake, and is told
    before anything is asked of the feed.
    """
    resolved: list[Resolved | None] = []
    failures: dict[InstrumentQuery, GatewayError] = {}
    for query in queries:
        try:
            found = await lookup.resolve(session, query)
        except NotFound as failure:
            failures[query] = failure
            resolved.append(None)
            continue

        if kind is Kind.GREEKS and not found.is_option:
            raise NotAnOption(query.symbol)
        resolved.append(found)
    return resolved, failures
