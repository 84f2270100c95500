"""An account's positions, live: what is held times what the market says, again and again."""

from __future__ import annotations

__all__ = ["PortfolioUpdate", "PositionStreams"]

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import structlog

from server.brokerage import Brokerage
from server.brokerage.api.accounts import Account
from server.brokerage.api.positions import Position
from server.brokerage.instruments.lookup import InstrumentQuery
from server.brokerage.session import BrokerSession
from server.clock import Clock
from server.errors import BadInput, GatewayError, NotFound
from server.market.feed_status import Condition
from server.market.group import Codec
from server.market.hub import Hub
from server.market.markets import Market, Markets
from server.market.reader import Heartbeat
from server.market.results import Acknowledgement, SymbolResult
from server.market.topics import Kind, Topic, TopicKey
from server.portfolio.live_prices import greeks_of, price_of
from server.portfolio.totals import Exposure, Totals, totals_of
from server.portfolio.valuation import NO_GREEKS, GreekValues, Price, ValuedPosition, value
from server.streams.send_pacer import SendInterval, SendPacer
from server.streams.stream_count import StreamCount
from server.tenants import Tenant

log = structlog.get_logger(__name__)

RELOAD_S = 10.0
"""How old what the account holds may be; prices are live in between. The broker's published limit
for positions is one request a second."""

NOTHING_SEEN = -1
"""Older than any version: whatever is held is looked at again."""

BENCHMARK = "SPY"
BENCHMARK_BETA = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioUpdate:
    """What changed since the last one, or all of it."""

    positions: tuple[ValuedPosition, ...]
    totals: Totals
    closed: tuple[str, ...]
    snapshot: bool
    at: datetime


PositionItem = PortfolioUpdate | Acknowledgement | Condition | Heartbeat


class _Held:
    """The positions as last loaded, and the topics that value them."""

    def __init__(self, hub: Hub, codec: Codec) -> None:
        self._hub = hub
        self._codec = codec
        self._topics: dict[TopicKey, Topic] = {}
        self.group = hub.enter((), codec)
        self.positions: tuple[Position, ...] = ()
        self.underlyings: dict[str, str] = {}
        self.loaded_at = float("-inf")

    def turn_to(self, positions: Sequence[Position], underlyings: Mapping[str, str]) -> None:
        """Holds what values these positions, and gives back what no longer does.

        Raises TooManySymbols, and holds what it held.
        """
        wanted: dict[TopicKey, str] = {}
        for each in positions:
            if each.streamer_symbol:
                wanted[TopicKey(Kind.QUOTES, each.streamer_symbol)] = each.symbol
                if each.is_option:
                    wanted[TopicKey(Kind.GREEKS, each.streamer_symbol)] = each.symbol
        for symbol, streamer in underlyings.items():
            wanted.setdefault(TopicKey(Kind.QUOTES, streamer), symbol)

        self._hub.ensure_room(wanted)
        self.positions, self.underlyings = tuple(positions), dict(underlyings)
        if wanted.keys() == self._topics.keys():
            return
        topics = {key: self._hub.acquire(key, label) for key, label in wanted.items()}
        old_topics, self._topics = self._topics, topics
        old, self.group = self.group, self._hub.enter(tuple(topics.values()), self._codec)
        self._hub.leave(old)
        for topic in old_topics.values():
            self._hub.release(topic)

    def close(self) -> None:
        """Gives everything back."""
        self._hub.leave(self.group)
        for topic in self._topics.values():
            self._hub.release(topic)
        self._topics = {}

    def topic(self, kind: Kind, streamer_symbol: str | None) -> Topic | None:
        return self._topics.get(TopicKey(kind, streamer_symbol or ""))

    def price(self, streamer_symbol: str | None) -> Price | None:
        topic = self.topic(Kind.QUOTES, streamer_symbol)
        return None if topic is None else price_of(topic)

    def greeks(self, streamer_symbol: str | None) -> GreekValues:
        topic = self.topic(Kind.GREEKS, streamer_symbol)
        return greeks_of(topic.rows["Greeks"]) if topic is not None and topic.rows else NO_GREEKS


class PositionStreams:
    """Opens streams of the calling tenant's accounts."""

    def __init__(
        self,
        brokerage: Brokerage,
        markets: Markets,
        clock: Clock,
        count: StreamCount,
        codec: Codec,
    ) -> None:
        self._brokerage = brokerage
        self._markets = markets
        self._clock = clock
        self._count = count
        self._codec = codec

    async def follow(
        self, tenant: Tenant, account_id: str, pace: SendInterval, ended: Callable[[], bool]
    ) -> AsyncGenerator[PositionItem, None]:
        """Yields the acknowledgement, every position, then those that change, with the sums.

        Raises MissingAccountId or AccountNotFound before anything is subscribed to.
        """
        with self._count.one(tenant.id) as place, ExitStack() as stack:
            session = await self._brokerage.session(tenant)
            place.belongs_to(session.customer)
            account = await session.account(account_id)
            market = self._markets.of(tenant)
            held = _Held(market.hub, self._codec)
            stack.callback(held.close)
            betas: dict[str, Decimal] = {BENCHMARK: BENCHMARK_BETA}
            await self._load(session, account, market, held, betas)
            yield Acknowledgement(results=tuple(_followed(held)))

            conditions = market.hub.conditions
            told, seen, outage = market.hub.version, held.group.version, conditions.outage
            sent: dict[str, ValuedPosition] | None
            update, sent = self._update(held, betas, None)
            if update is not None:
                yield update
            if outage is not None:
                yield outage  # it began before this reader came

            rhythm = SendPacer(self._clock, pace)
            while not (ended() or market.is_over):
                for condition in conditions.since(told):
                    told = condition.version
                    yield condition
                    if condition.live:
                        # All of it again, in the next message: what was known is live now.
                        sent, seen = None, NOTHING_SEEN
                    rhythm.sent()
                if self._clock.monotonic() - held.loaded_at >= RELOAD_S:
                    await self._reload(session, account, market, held, betas)
                    seen = NOTHING_SEEN

                if rhythm.is_silent:
                    yield Heartbeat(at=self._clock.now(), conflated=0)
                    rhythm.sent()
                elif held.group.version <= seen:
                    await held.group.woken()
                elif sent is None or await rhythm.is_due():
                    seen = held.group.version
                    update, sent = self._update(held, betas, sent)
                    if update is not None:
                        yield update
                        rhythm.sent()
            market.feed.ensure_allowed()

    async def _reload(
        self,
        session: BrokerSession,
        account: Account,
        market: Market,
        held: _Held,
        betas: dict[str, Decimal],
    ) -> None:
        try:
            await self._load(session, account, market, held, betas)
        except GatewayError as failure:
            # What was held a moment ago is still worth its price; the next round tries again.
            held.loaded_at = self._clock.monotonic()
            log.info("positions not reloaded", reason=failure.reason)

    async def _load(
        self,
        session: BrokerSession,
        account: Account,
        market: Market,
        held: _Held,
        betas: dict[str, Decimal],
    ) -> None:
        positions = await session.positions(account)
        names = dict.fromkeys([BENCHMARK, *(each.underlying_symbol for each in positions)])
        underlyings: dict[str, str] = {}
        for name in names:
            try:
                found = await market.lookup.resolve(session, InstrumentQuery(symbol=name))
            except (BadInput, NotFound):
                continue  # a bond, a delisted share: valued by the broker's mark, not weighed
            underlyings[name] = found.streamer_symbol

        unknown = [name for name in underlyings if name not in betas]
        if unknown:
            betas.update(await _betas(session, unknown))
        held.turn_to(positions, underlyings)
        held.loaded_at = self._clock.monotonic()

    def _update(
        self,
        held: _Held,
        betas: Mapping[str, Decimal],
        sent: Mapping[str, ValuedPosition] | None,
    ) -> tuple[PortfolioUpdate | None, dict[str, ValuedPosition]]:
        """Returns what changed since `sent`, and what will have been sent then."""
        valued = {
            each.symbol: value(
                each, held.price(each.streamer_symbol), held.greeks(each.streamer_symbol)
            )
            for each in held.positions
        }
        if sent is not None and valued == sent:
            return None, valued

        before = sent or {}
        spy = held.price(held.underlyings.get(BENCHMARK))
        exposures = {}
        for name, streamer in held.underlyings.items():
            price = held.price(streamer)
            exposures[name] = Exposure(
                beta=betas.get(name),
                underlying_price=price.value if price else None,
                spy_price=spy.value if spy else None,
            )
        update = PortfolioUpdate(
            positions=tuple(v for symbol, v in valued.items() if before.get(symbol) != v),
            totals=totals_of(valued.values(), exposures),
            closed=tuple(symbol for symbol in before if symbol not in valued),
            snapshot=sent is None,
            at=self._clock.now(),
        )
        return update, valued


async def _betas(session: BrokerSession, symbols: Sequence[str]) -> dict[str, Decimal]:
    """Returns the betas that the broker knows; without them deltas are not weighed, no more."""
    try:
        metrics = await session.market_metrics(symbols)
    except GatewayError as failure:
        log.info("no betas", reason=failure.reason)
        return {}
    return {each.symbol: each.beta for each in metrics if each.beta is not None}


def _followed(held: _Held) -> Sequence[SymbolResult]:
    results = []
    for each in held.positions:
        topic = held.topic(Kind.QUOTES, each.streamer_symbol)
        if topic is None:
            detail = "The feed has no prices for this; the broker's own mark is shown."
            results.append(SymbolResult.unknown(each.symbol, detail))
        else:
            results.append(SymbolResult.followed(each.symbol, topic))
    return results
