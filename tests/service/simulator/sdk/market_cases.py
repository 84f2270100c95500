"""Every coroutine of the SDK's instruments, metrics, market data, sessions, search, watchlists."""

from __future__ import annotations

__all__: list[str] = []

from collections.abc import AsyncGenerator
from datetime import date, timedelta
from typing import Any

from tastytrade import instruments, market_data, market_sessions, metrics, search, watchlists
from tastytrade.market_sessions import ExchangeType
from tastytrade.order import InstrumentType

from server.simulator.clock import new_york_today
from tests.service.simulator.sdk.case import World, covers

Steps = AsyncGenerator[Any, Any]


@covers("Equity.get")
async def equities(world: World) -> Steps:
    found = yield instruments.Equity.get(world.session, ["SPY", "AAPL", "SPX", "BRK/B"])
    assert {each.symbol for each in found} == {"SPY", "AAPL", "SPX", "BRK/B"}
    one = await instruments.Equity.get(world.session, "BRK/B")
    assert one.symbol == "BRK/B"


@covers("Equity.get_active_equities")
async def active_equities(world: World) -> Steps:
    found = yield instruments.Equity.get_active_equities(
        world.session, per_page=20, page_offset=None
    )
    assert len(found) > 20
    assert all(each.active for each in found)


@covers("NestedOptionChain.get")
async def nested_chain(world: World) -> Steps:
    chains = yield instruments.NestedOptionChain.get(world.session, "SPY")
    assert chains[0].expirations[0].expiration_date >= _today(world)
    assert chains[0].expirations[0].strikes


@covers("get_option_chain")
async def flat_chain(world: World) -> Steps:
    chain = yield instruments.get_option_chain(world.session, "SPY")
    assert len(chain) > 10
    for expiration, options in chain.items():
        assert {each.expiration_date for each in options} == {expiration}


@covers("Option.get")
async def option(world: World) -> Steps:
    symbol = await _option_symbol(world)
    found = yield instruments.Option.get(world.session, symbol)
    assert found.symbol == symbol
    assert found.streamer_symbol == found.occ_to_streamer_symbol(symbol)


@covers("Cryptocurrency.get")
async def cryptocurrencies(world: World) -> Steps:
    found = yield instruments.Cryptocurrency.get(world.session)
    assert "BTC/USD" in {each.symbol for each in found}
    one = await instruments.Cryptocurrency.get(world.session, "BTC/USD")
    assert one.streamer_symbol


@covers("Future.get")
async def futures(world: World) -> Steps:
    found = yield instruments.Future.get(world.session, product_codes=["ES"])
    assert found
    one = await instruments.Future.get(world.session, found[0].symbol)
    assert one == found[0]


@covers("FutureProduct.get")
async def future_products(world: World) -> Steps:
    found = yield instruments.FutureProduct.get(world.session)
    assert {"ES", "NQ", "CL", "GC", "ZB"} <= {each.code for each in found}
    one = await instruments.FutureProduct.get(world.session, "ES")
    assert one.code == "ES"


@covers("FutureOptionProduct.get")
async def future_option_products(world: World) -> Steps:
    found = yield instruments.FutureOptionProduct.get(world.session)
    one = await instruments.FutureOptionProduct.get(world.session, found[0].root_symbol)
    assert one.root_symbol == found[0].root_symbol


@covers("NestedFutureOptionChain.get")
async def nested_future_chain(world: World) -> Steps:
    chain = yield instruments.NestedFutureOptionChain.get(world.session, "ES")
    assert chain.futures
    assert chain.option_chains[0].expirations


@covers("get_future_option_chain")
async def flat_future_chain(world: World) -> Steps:
    chain = yield instruments.get_future_option_chain(world.session, "ES")
    assert chain


@covers("FutureOption.get")
async def future_option(world: World) -> Steps:
    chain = await instruments.get_future_option_chain(world.session, "ES")
    symbol = next(iter(chain.values()))[0].symbol
    found = yield instruments.FutureOption.get(world.session, symbol)
    assert found.symbol == symbol


@covers("Warrant.get")
async def warrants(world: World) -> Steps:
    found = yield instruments.Warrant.get(world.session)
    assert found
    assert (await instruments.Warrant.get(world.session, found[0].symbol)) == found[0]


@covers("Forex.get")
async def currency_pairs(world: World) -> Steps:
    found = yield instruments.Forex.get(world.session)
    assert found


@covers("get_quantity_decimal_precisions")
async def precisions(world: World) -> Steps:
    found = yield instruments.get_quantity_decimal_precisions(world.session)
    assert "Cryptocurrency" in {each.instrument_type.value for each in found}


@covers("get_market_metrics")
async def market_metrics(world: World) -> Steps:
    found = yield metrics.get_market_metrics(world.session, ["SPY", "AAPL"])
    assert {each.symbol for each in found} == {"SPY", "AAPL"}
    assert all(0 <= float(each.implied_volatility_index_rank) <= 1 for each in found)


@covers("get_dividends")
async def dividends(world: World) -> Steps:
    found = yield metrics.get_dividends(world.session, "AAPL")
    assert all(each.amount > 0 for each in found)
    assert found


@covers("get_earnings")
async def earnings(world: World) -> Steps:
    since = _today(world) - timedelta(days=400)
    found = yield metrics.get_earnings(world.session, "AAPL", since)
    assert found
    assert all(each.occurred_date >= since for each in found)


@covers("get_risk_free_rate")
async def risk_free_rate(world: World) -> Steps:
    rate = yield metrics.get_risk_free_rate(world.session)
    assert 0 < rate < 1


@covers("get_market_data")
async def one_market_data(world: World) -> Steps:
    data = yield market_data.get_market_data(world.session, "SPY", InstrumentType.EQUITY)
    assert data.bid < data.ask


@covers("get_market_data_by_type")
async def many_market_data(world: World) -> Steps:
    found = yield market_data.get_market_data_by_type(
        world.session,
        equities=["SPY"],
        indices=["VIX", "SPX"],
        options=[await _option_symbol(world)],
        cryptocurrencies=["BTC/USD"],
    )
    by_symbol = {each.symbol: each for each in found}
    assert len(by_symbol) == 5
    assert by_symbol["VIX"].bid is None
    assert by_symbol["VIX"].mark is not None


@covers("get_market_sessions")
async def sessions(world: World) -> Steps:
    exchanges = [ExchangeType.NYSE, ExchangeType.CME]
    found = yield market_sessions.get_market_sessions(world.session, exchanges)
    assert len(found) == 2


@covers("get_market_holidays")
async def holidays(world: World) -> Steps:
    calendar = yield market_sessions.get_market_holidays(world.session)
    assert any((day.month, day.day) == (12, 25) for day in calendar.holidays)


@covers("get_futures_holidays")
async def futures_holidays(world: World) -> Steps:
    calendar = yield market_sessions.get_futures_holidays(world.session, ExchangeType.CME)
    assert calendar.holidays


@covers("symbol_search")
async def symbol_search(world: World) -> Steps:
    await world.session.refresh()  # the SDK's search is the one call that does not do it
    found = yield search.symbol_search(world.session, "AAP")
    assert "AAPL" in {each.symbol for each in found}


@covers("PublicWatchlist.get")
async def public_watchlists(world: World) -> Steps:
    found = yield watchlists.PublicWatchlist.get(world.session)
    assert found
    one = await watchlists.PublicWatchlist.get(world.session, found[0].name)
    assert one.watchlist_entries


@covers("PairsWatchlist.get")
async def pairs_watchlists(world: World) -> Steps:
    found = yield watchlists.PairsWatchlist.get(world.session)
    assert found
    one = await watchlists.PairsWatchlist.get(world.session, found[0].name)
    assert one.name == found[0].name


@covers("PrivateWatchlist.upload")
async def create_watchlist(world: World) -> Steps:
    yield _watchlist("naïve 100").upload(world.session)
    found = await watchlists.PrivateWatchlist.get(world.session, "naïve 100")
    assert found.watchlist_entries == [{"symbol": "SPY", "instrument-type": "Equity"}]


@covers("PrivateWatchlist.get")
async def private_watchlists(world: World) -> Steps:
    await _watchlist("one").upload(world.session)
    found = yield watchlists.PrivateWatchlist.get(world.session)
    assert "one" in {each.name for each in found}


@covers("PrivateWatchlist.update")
async def update_watchlist(world: World) -> Steps:
    mine = _watchlist("changed")
    await mine.upload(world.session)
    mine.add_symbol("AAPL", InstrumentType.EQUITY)
    yield mine.update(world.session)
    found = await watchlists.PrivateWatchlist.get(world.session, "changed")
    assert [each["symbol"] for each in found.watchlist_entries or ()] == ["SPY", "AAPL"]


@covers("PrivateWatchlist.remove")
async def remove_watchlist(world: World) -> Steps:
    await _watchlist("removed").upload(world.session)
    yield watchlists.PrivateWatchlist.remove(world.session, "removed")
    left = await watchlists.PrivateWatchlist.get(world.session)
    assert "removed" not in {each.name for each in left}


def _watchlist(name: str) -> watchlists.PrivateWatchlist:
    made = watchlists.PrivateWatchlist(name=name, watchlist_entries=[])
    made.add_symbol("SPY", InstrumentType.EQUITY)
    return made


async def _option_symbol(world: World) -> str:
    (chain, *_) = await instruments.NestedOptionChain.get(world.session, "SPY")
    expiration = chain.expirations[3]
    return expiration.strikes[len(expiration.strikes) // 2].call


def _today(world: World) -> date:
    return new_york_today(world.sim.clock)
