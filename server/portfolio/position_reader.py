"""Reads one account's positions for a stream: loads what is held, and values it as prices move."""

from __future__ import annotations

__all__ = ["PortfolioUpdate", "PositionItem", "PositionReader"]

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import structlog

from server.brokerage.api.accounts import Account
from server.brokerage.api.positions import Position
from server.brokerage.instruments.lookup import InstrumentQuery
from server.brokerage.session import BrokerSession
from server.clock import Clock
from server.errors import BadInput, GatewayError, NotFound
from server.market.feed_status import Condition
from server.market.group import Codec
from server.market.hub import Hub
from server.market.markets import Market
from server.market.read_stream import Heartbeat, read_stream
from server.market.results import Acknowledgement, SymbolResult
from server.market.topics import Kind, Topic, TopicKey
from server.portfolio.live_prices import greeks_of, price_of
from server.portfolio.totals import Exposure, Totals, totals_of
from server.portfolio.valuation import NO_GREEKS, GreekValues, Price, ValuedPosition, value
from server.streams.send_pacer import SendInterval, SendPacer

log = structlog.get_logger(__name__)

RELOAD_S = 10.0
"""Maximum age of the list of positions; prices are live in between. The broker's published limit
for positions is one request a second."""

NOTHING_SEEN = -1
"""Older than any version: all positions are valued again."""

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


class PositionReader:
    """Reads one account's positions; `load` comes first, `close` last."""

    def __init__(
        self,
        session: BrokerSession,
        account: Account,
        market: Market,
        codec: Codec,
        clock: Clock,
        send_interval: SendInterval,
    ) -> None:
        self._session = session
        self._account = account
        self._market = market
        self._clock = clock
        self._pacer = SendPacer(clock, send_interval)
        self._holdings = _Holdings(market.hub, codec)
        self._betas: dict[str, Decimal] = {BENCHMARK: BENCHMARK_BETA}
        self._loaded_at = clock.monotonic()
        self._seen = NOTHING_SEEN
        self._sent: Mapping[str, ValuedPosition] = {}
        """The positions as last sent, by symbol."""

    def items(self, ended: Callable[[], bool]) -> AsyncGenerator[PositionItem, None]:
        """Returns what the stream sends until `ended()` is true; see `read_stream`."""
        status = self._market.hub.status
        return read_stream(self, status, self._pacer, self._clock, ended)

    def close(self) -> None:
        """Releases everything that was subscribed to."""
        self._holdings.close()

    async def load(self) -> None:
        """Reads the positions from the broker, and subscribes to what values them."""
        positions = await self._session.positions(self._account)
        names = dict.fromkeys([BENCHMARK, *(each.underlying_symbol for each in positions)])
        underlyings: dict[str, str] = {}
        for name in names:
            query = InstrumentQuery(symbol=name)
            try:
                found = await self._market.lookup.resolve(self._session, query)
            except (BadInput, NotFound):
                continue  # a bond, a delisted share: valued by the broker's mark, not weighed
            underlyings[name] = found.streamer_symbol

        unknown = [name for name in underlyings if name not in self._betas]
        if unknown:
            self._betas.update(await _betas(self._session, unknown))
        self._holdings.replace(positions, underlyings)
        self._loaded_at = self._clock.monotonic()

    def acknowledgement(self) -> Acknowledgement:
        """Returns for each position whether the feed has prices of it."""
        return Acknowledgement(results=tuple(map(self._followed, self._holdings.positions)))

    def take_snapshot(self) -> Sequence[PortfolioUpdate]:
        """Returns all positions."""
        self._seen = self._holdings.group.version
        valued = self._valued()
        self._sent = {}
        return (self._update(valued, snapshot=True),)

    def has_urgent(self) -> bool:
        """Returns whether the list of positions is too old."""
        return self._clock.monotonic() - self._loaded_at >= RELOAD_S

    async def take_urgent(self) -> Sequence[PortfolioUpdate]:
        """Loads the positions again; what is new of them goes out with the next changes."""
        try:
            await self.load()
        except GatewayError as failure:
            # What was held a moment ago is still worth its price; the next round tries again.
            self._loaded_at = self._clock.monotonic()
            log.info("positions not reloaded", reason=failure.reason)

        self._seen = NOTHING_SEEN
        return ()

    def has_changed(self) -> bool:
        """Returns whether a price has moved, or the positions were loaded again."""
        return self._holdings.group.version > self._seen

    def take_changes(self) -> Sequence[PortfolioUpdate]:
        """Returns the positions that changed, with the new sums."""
        self._seen = self._holdings.group.version
        valued = self._valued()
        return () if valued == self._sent else (self._update(valued, snapshot=False),)

    def conflated(self) -> int:
        """Returns 0: a position is valued at the newest price, and nobody counts the others."""
        return 0

    async def wait(self) -> None:
        """Returns when a price has moved, and about once a second."""
        await self._holdings.group.woken()

    def _followed(self, position: Position) -> SymbolResult:
        topic = self._holdings.topic(Kind.QUOTES, position.streamer_symbol)
        if topic is None:
            detail = "The feed has no prices for this; the broker's own mark is shown."
            return SymbolResult.unknown(position.symbol, detail)

        return SymbolResult.followed(position.symbol, topic)

    def _valued(self) -> Mapping[str, ValuedPosition]:
        holdings = self._holdings
        return {
            each.symbol: value(
                each, holdings.price(each.streamer_symbol), holdings.greeks(each.streamer_symbol)
            )
            for each in holdings.positions
        }

    def _update(self, valued: Mapping[str, ValuedPosition], *, snapshot: bool) -> PortfolioUpdate:
        """Returns what differs from what was sent last, and notes that it is sent."""
        before, self._sent = self._sent, valued
        return PortfolioUpdate(
            positions=tuple(v for symbol, v in valued.items() if before.get(symbol) != v),
            totals=totals_of(valued.values(), self._exposures()),
            closed=tuple(symbol for symbol in before if symbol not in valued),
            snapshot=snapshot,
            at=self._clock.now(),
        )

    def _exposures(self) -> Mapping[str, Exposure]:
        underlyings = self._holdings.underlyings
        spy = self._holdings.price(underlyings.get(BENCHMARK))
        exposures = {}
        for name, streamer in underlyings.items():
            price = self._holdings.price(streamer)
            exposures[name] = Exposure(
                beta=self._betas.get(name),
                underlying_price=price.value if price else None,
                spy_price=spy.value if spy else None,
            )

        return exposures


class _Holdings:
    """Keeps the positions as last loaded, and the topics that value them."""

    def __init__(self, hub: Hub, codec: Codec) -> None:
        self._hub = hub
        self._codec = codec
        self._topics: dict[TopicKey, Topic] = {}
        self.group = hub.enter((), codec)
        self.positions: tuple[Position, ...] = ()
        self.underlyings: dict[str, str] = {}

    def replace(self, positions: Sequence[Position], underlyings: Mapping[str, str]) -> None:
        """Takes over these positions: acquires the topics that value them, releases the others.

        Raises TooManySymbols, and then changes nothing.
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
        """Releases all topics."""
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
        return NO_GREEKS if topic is None else greeks_of(topic)


async def _betas(session: BrokerSession, symbols: Sequence[str]) -> dict[str, Decimal]:
    """Returns the betas that the broker knows; without them deltas are not weighed, no more."""
    try:
        metrics = await session.market_metrics(symbols)
    except GatewayError as failure:
        log.info("no betas", reason=failure.reason)
        return {}
    return {each.symbol: each.beta for each in metrics if each.beta is not None}
