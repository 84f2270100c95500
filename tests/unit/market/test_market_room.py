"""What a tenant's streams keep in memory has a bound, by tenant and in all, and is given back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from server.brokerage.streaming.dxlink_events import FIELDS, CandleRow
from server.errors import TooManyCandles, TooManySymbols
from server.market.candle_room import (
    MOST_CANDLES,
    SPARE,
    CandleRoom,
    candle_shares,
    expected_candles,
)
from server.market.candles import (
    SNAPSHOT_BEGIN,
    SNAPSHOT_END,
    CandleBook,
    CandleKey,
    CandleSeries,
)
from server.market.hub import Hub
from server.market.topics import Kind, TopicKey
from server.shares import Shares
from tests.clock import ManualClock

MINUTE = 60_000
DAY = 1440 * MINUTE


class Wanted:
    """Notes what is subscribed to."""

    def __init__(self) -> None:
        self.since: dict[tuple[str, str], int | None] = {}

    def subscribe(self, event: str, symbol: str, since: int | None = None) -> None:
        self.since[event, symbol] = since

    def unsubscribe(self, event: str, symbol: str) -> None:
        del self.since[event, symbol]


class Room:
    """The candles of two tenants, who share 200,000 rows and may have 100,000 each."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.shares = candle_shares(each=100_000, total=200_000)
        self.wanted = Wanted()
        self.mine = self.book("mine")
        self.now = int(self.clock.now().timestamp() * 1000)

    def book(self, tenant: str) -> CandleBook:
        return CandleBook(Wanted(), self.clock, CandleRoom(self.shares, tenant))


def key(symbol: str, interval: str = "1m") -> CandleKey:
    return CandleKey(symbol, interval, extended=True)


def candle(time: int, *, flags: int = 0, symbol: str = "SPY{=m}") -> CandleRow:
    values = {"eventSymbol": symbol, "eventFlags": flags, "time": time * MINUTE, "close": 1.5}
    return CandleRow._make(values.get(field, 0) for field in FIELDS["Candle"])


def load(series: CandleSeries, times: range) -> None:
    """Sends a history, newest first, as DXLink does."""
    for time in reversed(times):
        first = SNAPSHOT_BEGIN if time == times[-1] else 0
        last = SNAPSHOT_END if time == times[0] else 0
        series.take(candle(time, flags=first | last), 0)


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def held() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize(
    ("symbol", "interval", "since_ago", "extended", "expected"),
    [
        ("SPY", "1m", DAY, True, 1441),
        ("SPY", "1m", DAY, False, 433),
        ("/ESZ26:XCME", "1m", DAY, False, 1441),
        ("BTC/USD:CXTALP", "1m", DAY, False, 1441),
        ("SPY", "5m", DAY, True, 289),
        ("SPY", "1d", 10 * DAY, False, 11),
        ("SPY", "1w", 14 * DAY, False, 3),
        ("SPY", "1mo", 28 * DAY, False, 2),
        ("SPY", "1s", DAY, False, MOST_CANDLES),
        ("SPY", "1m", 0, False, 1),
    ],
)
def test_a_history_is_counted_before_it_comes(
    symbol: str, interval: str, since_ago: int, extended: bool, expected: int
) -> None:
    now = 1_790_000_000_000
    found = expected_candles(symbol, interval, now - since_ago, now, extended=extended)
    assert found == expected


def test_a_series_takes_room_for_what_it_has(room: Room, held: ExitStack) -> None:
    series = held.enter_context(room.mine.hold(key("SPY"), "SPY", room.now - DAY))
    assert room.mine.room_taken == 1441 * 5 // 4 + SPARE
    load(series, range(390))
    # The market was closed for most of the day.
    assert (room.mine.rows, room.mine.room_taken) == (390, 390 * 5 // 4 + SPARE)
    held.close()
    assert (room.mine.rows, room.mine.room_taken, room.shares.total) == (0, 0, 0)


def test_a_history_without_room_is_refused_with_how_much_there_is(
    room: Room, held: ExitStack
) -> None:
    keys = [key(f"S{number}", "1s") for number in range(4)]
    room.mine.ensure_room(keys, room.now - DAY)
    for each in keys[:3]:
        held.enter_context(room.mine.hold(each, each.symbol, room.now - DAY))

    room.mine.ensure_room(keys, room.now - DAY)
    more = [key("T0", "1s"), key("T1", "1s")]
    with pytest.raises(TooManyCandles, match=r"may have 50000, and 25000 more .* this API key"):
        room.mine.ensure_room(more, room.now - DAY)


def test_when_others_use_the_room_up_one_series_is_still_to_be_had(
    room: Room, held: ExitStack
) -> None:
    for tenant in ("a", "b", "c"):
        book = room.book(tenant)
        for number in range(2):
            held.enter_context(book.hold(key(f"S{number}", "1s"), "", room.now - DAY))

    more = [key("T0", "1s"), key("T1", "1s")]
    with pytest.raises(TooManyCandles, match=r"may have 50000, and 0 more .* this server"):
        room.mine.ensure_room(more, room.now - DAY)

    room.mine.ensure_room(more[:1], room.now - DAY)


def test_a_series_that_grows_takes_more_room_until_there_is_none() -> None:
    shares = candle_shares(each=1000, total=4000)
    series = CandleSeries(key("SPY"), "SPY", 0, CandleRoom(shares, "mine"), most=100)
    other = CandleSeries(key("QQQ"), "QQQ", 0, CandleRoom(shares, "mine"), most=100)
    for time in range(3000):
        series.take(candle(time), 0)
        assert shares.total <= 1000
        assert len(series) <= series.most

    kept = [row.time // MINUTE for row in series.since_version(0, 0)]
    assert kept == list(range(kept[0], 3000))  # the newest
    assert len(kept) > 500
    assert series.cut_at == (kept[0] - 1) * MINUTE
    series.close()
    other.close()
    assert shares.total == 0


def test_who_comes_later_for_what_went_gets_it_again(room: Room, held: ExitStack) -> None:
    since = room.now - 60 * MINUTE
    book = CandleBook(room.wanted, room.clock, CandleRoom(room.shares, "mine"))
    series = held.enter_context(book.hold(key("SPY"), "SPY", since))
    load(series, range(since // MINUTE, since // MINUTE + 60))
    series.cut_at = since  # as after it grew without room
    again = held.enter_context(book.hold(key("SPY"), "SPY", since))
    assert again is series
    assert not series.loaded.is_set()
    assert room.wanted.since["Candle", "SPY{=1m}"] == since - 1


def test_a_history_that_comes_again_is_kept_once(room: Room, held: ExitStack) -> None:
    series = held.enter_context(room.mine.hold(key("SPY"), "SPY", room.now - DAY))
    load(series, range(300))
    version = series.version
    for time in range(299, 0, -1):
        series.take(candle(time, flags=SNAPSHOT_BEGIN if time == 299 else 0), 0)

    assert series._arriving is not None
    assert len(series._arriving) == 0  # what is the same is not kept a second time
    series.take(candle(0, flags=SNAPSHOT_END), 0)
    assert series.version == version


def test_the_last_of_two_rows_of_one_time_in_a_transfer_counts(room: Room, held: ExitStack) -> None:
    series = held.enter_context(room.mine.hold(key("SPY"), "SPY", room.now - DAY))
    load(series, range(3))
    kept = [row.close for row in series.since_version(0, 0)]
    series.take(candle(2, flags=SNAPSHOT_BEGIN)._replace(close=99.0), 0)
    series.take(candle(2), 0)
    series.take(candle(0, flags=SNAPSHOT_END), 0)
    assert [row.close for row in series.since_version(0, 0)] == kept


def test_a_history_that_is_longer_than_expected_is_cut_only_where_there_is_no_room() -> None:
    shares = candle_shares(each=1000, total=4000)
    series = CandleSeries(key("SPY"), "SPY", 0, CandleRoom(shares, "mine"), most=100)
    for time in range(5000, 0, -1):
        series.take(candle(time, flags=SNAPSHOT_BEGIN if time == 5000 else 0), 0)
        assert len(series._arriving or ()) <= series.most <= shares.total <= 1000

    series.take(candle(0, flags=SNAPSHOT_END), 0)
    kept = [row.time // MINUTE for row in series.since_version(0, 0)]
    assert kept == list(range(kept[0], 5001))
    assert 700 < len(kept) <= 1000


def hub(clock: ManualClock, symbols: Shares, owner: str = "mine") -> Hub:
    return Hub(Wanted(), clock, owner=owner, symbols=symbols)


def labels(names: str, numbers: range) -> dict[str, str]:
    return {f"{names}{number}": f"{names}{number}" for number in numbers}


async def test_symbols_over_all_streams_have_a_bound() -> None:
    clock, symbols = ManualClock(), Shares(total=100, each=10, light=4)
    mine = hub(clock, symbols)
    async with mine.hold(Kind.QUOTES, labels("A", range(6))):
        with pytest.raises(TooManySymbols, match=r"5 more .* and 4 more can .* this API key"):
            async with mine.hold(Kind.QUOTES, labels("B", range(5))):
                pass

        assert symbols.total == 6  # none of them was taken
        async with mine.hold(Kind.QUOTES, labels("A", range(10))):
            assert symbols.total == 10
            with pytest.raises(TooManySymbols):
                mine.acquire(TopicKey(Kind.TRADES, "A0"), "A0")

    # What nobody holds any more goes for what somebody wants.
    async with mine.hold(Kind.QUOTES, labels("B", range(10))):
        assert symbols.total == 10
        assert mine.statistics().topics == 10


async def test_others_cannot_take_all_symbols() -> None:
    clock, symbols = ManualClock(), Shares(total=40, each=30, light=4)
    greedy, mine = hub(clock, symbols, "greedy"), hub(clock, symbols)
    async with greedy.hold(Kind.QUOTES, labels("A", range(30))):
        with pytest.raises(TooManySymbols, match="this server"):
            async with mine.hold(Kind.QUOTES, labels("B", range(5))):
                pass

        async with mine.hold(Kind.QUOTES, labels("B", range(4))):
            assert symbols.total == 34


async def test_a_market_that_ended_gives_its_symbols_back() -> None:
    clock, symbols = ManualClock(), Shares(total=40, each=30, light=4)
    mine = hub(clock, symbols)
    async with mine.hold(Kind.QUOTES, labels("A", range(3))):
        pass

    async with mine.hold(Kind.QUOTES, labels("B", range(2))):
        assert symbols.total == 5  # for the grace period
        mine.close()
        assert symbols.total == 2

    assert symbols.total == 0
