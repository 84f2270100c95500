"""Applies a client's changes to its subscriptions, one after the other, and answers each."""

from __future__ import annotations

__all__ = ["Action", "Change", "apply_changes"]

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from server.brokerage.instruments.lookup import InstrumentQuery, Resolved
from server.errors import BadInput, NotAnOption, NotFound, TooManyGiven, TooManySymbols
from server.market.results import Acknowledgement, Outcome, SymbolResult
from server.market.subscription_session import SubscriptionSession
from server.market.topics import Kind, TopicKey
from server.streams.send_pacer import SendInterval

Resolve = Callable[[InstrumentQuery], Awaitable[Resolved]]


class Action(Enum):
    """What a client wants of its open stream."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    CONFIGURE = "configure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One request of the client."""

    action: Action
    symbols: tuple[str, ...]
    kinds: tuple[Kind, ...]
    """Empty: quotes when adding, every kind when removing."""
    send_interval: SendInterval
    request_id: int


async def apply_changes(
    subscriptions: SubscriptionSession,
    changes: AsyncIterator[Change],
    resolve: Resolve,
    *,
    allowed: int,
) -> None:
    """Returns when the client has half-closed; what it follows goes on.

    A symbol that is wrong, or one too many, costs that symbol, told in the answer, never the
    stream.
    """
    async for change in changes:
        await subscriptions.reader.room.wait()
        subscriptions.reader.change_interval(change.send_interval)
        results: list[SymbolResult] = []
        for symbol in dict.fromkeys(change.symbols):
            try:
                found = await resolve(InstrumentQuery(symbol=symbol))
                if change.action is Action.UNSUBSCRIBE:
                    results.append(_removed(subscriptions, change, symbol, found))
                else:
                    results.append(_added(subscriptions, change, symbol, found, allowed))
            except (BadInput, NotFound, TooManySymbols) as failure:
                results.append(SymbolResult.unknown(symbol, str(failure)))
        subscriptions.publish(Acknowledgement(results=tuple(results), request_id=change.request_id))


def _added(
    subscriptions: SubscriptionSession, change: Change, symbol: str, found: Resolved, allowed: int
) -> SymbolResult:
    kinds = change.kinds or (Kind.QUOTES,)
    if Kind.GREEKS in kinds and not found.is_option:
        raise NotAnOption(symbol)
    if not subscriptions.keys_of(found.streamer_symbol) and len(subscriptions) >= allowed:
        raise TooManyGiven("symbols", given=len(subscriptions) + 1, allowed=allowed)

    topics = [
        subscriptions.add(TopicKey(kind, found.streamer_symbol), found.symbol) for kind in kinds
    ]
    return SymbolResult.followed(symbol, topics[0])


def _removed(
    subscriptions: SubscriptionSession, change: Change, symbol: str, found: Resolved
) -> SymbolResult:
    keys = subscriptions.keys_of(found.streamer_symbol)
    gone = [
        subscriptions.remove(key) for key in keys if not change.kinds or key.kind in change.kinds
    ]
    return SymbolResult(
        requested=symbol,
        symbol=found.symbol,
        streamer_symbol=found.streamer_symbol,
        outcome=Outcome.REMOVED,
        detail="" if any(gone) else "It was not subscribed.",
    )
