"""Calls every coroutine of the SDK for instruments, market data, sessions and watchlists."""

from __future__ import annotations

__all__: list[str] = []

from collections.abc import AsyncGenerator
from datetime import date, timedelta
from typing import Any

from tastytrade import instruments, market_data, market_sessions, metrics, search, watchlists
from tastytrade.market_sessions import ExchangeType
from tastytrade.order import InstrumentType

from server.simulator.clock import new_york_today
from tests.service.simulator.sdk.case import CaseContext, covers

Steps = AsyncGenerator[Any, Any]


@covers("Equity.get")
async def equities(context: CaseContext) -> Steps:
    found = yield instruments.Equity.get(context.session, ["SPY", "AAPL", "SPX", "BRK/B"])
    assert {each.symbol for each in found} == {"SPY", "AAPL", "SPX", "BRK/B"}
    one = await instruments.Equity.get(context.session, "BRK/B")
    assert one.symbol == "BRK/B"


@covers("Equity.get_active_equities")
async def active_equities(context: CaseContext) -> Steps:
    found = yield instruments.Equity.get_active_equities(
        context.session, per_page=20, page_offset=None
    )
    assert len(found) > 20
    assert all(each.active for each in found)


@covers("NestedOptionChain.get")
async def nested_chain(context: CaseContext) -> Steps:
    chains = yield instruments.NestedOptionChain.get(context.session, "SPY")
    assert chains[0].expirations[0].expiration_date >= _today(context)
    assert chains[0].expirations[0].strikes


@covers("get_option_chain")
async def flat_chain(context: CaseContext) -> Steps:
    chain = yield instruments.get_option_chain(context.session, "SPY")
    assert len(chain) > 10
    for expiration, options in chain.items():
        assert {each.expiration_date for each in options} == {expiration}


@covers("Option.get")
async def option(context: CaseContext) -> Steps:
    symbol = await _option_symbol(context)
    found = yield instruments.Option.get(context.session, symbol)
    assert found.symbol == symbol
    assert found.streamer_symbol == found.occ_to_streamer_symbol(symbol)


@covers("Cryptocurrency.get")
async def cryptocurrencies(context: CaseContext) -> Steps:
    found = yield instruments.Cryptocurrency.get(context.session)
    assert "BTC/USD" in {each.symbol for each in found}
    one = await instruments.Cryptocurrency.get(context.session, "BTC/USD")
    assert one.streamer_symbol


@covers("Future.get")
async def futures(context: CaseContext) -> Steps:
    found = yield instruments.Future.get(context.session, product_codes=["ES"])
    assert found
    one = await instruments.Future.get(context.session, found[0].symbol)
    assert one == found[0]


@covers("FutureProduct.get")
async def future_products(context: CaseContext) -> Steps:
    found = yield instruments.FutureProduct.get(context.session)
    assert {"ES", "NQ", "CL", "GC", "ZB"} <= {each.code for each in found}
    one = await instruments.FutureProduct.get(context.session, "ES")
    assert one.code == "ES"


@covers("FutureOptionProduct.get")
async def future_option_products(context: CaseContext) -> Steps:
    found = yield instruments.FutureOptionProduct.get(context.session)
    one = await instruments.FutureOptionProduct.get(context.session, found[0].root_symbol)
    assert one.root_symbol == found[0].root_symbol


@covers("NestedFutureOptionChain.get")
async def nested_future_chain(context: CaseContext) -> Steps:
    chain = yield instruments.NestedFutureOptionChain.get(context.session, "ES")
    assert chain.futures
    assert chain.option_chains[0].expirations


@covers("get_future_option_chain")
async def flat_future_chain(context: CaseContext) -> Steps:
    chain = yield instruments.get_future_option_chain(context.session, "ES")
    assert chain


@covers("FutureOption.get")
async def future_option(context: CaseContext) -> Steps:
    chain = await instruments.get_future_option_chain(context.session, "ES")
    symbol = next(iter(chain.values()))[0].symbol
    found = yield instruments.FutureOption.get(context.session, symbol)
    assert found.symbol == symbol


@covers("Warrant.get")
async def warrants(context: CaseContext) -> Steps:
    found = yield instruments.Warrant.get(context.session)
    assert found
    assert (await instruments.Warrant.get(context.session, found[0].symbol)) == found[0]


@covers("Forex.get")
async def currency_pairs(context: CaseContext) -> Steps:
    found = yield instruments.Forex.get(context.session)
    assert found


@covers("get_quantity_decimal_precisions")
async def precisions(context: CaseContext) -> Steps:
    found = yield instruments.get_quantity_decimal_precisions(context.session)
    assert "Cryptocurrency" in {each.instrument_type.value for each in found}


@covers("get_market_metrics")
async def market_metrics(context: CaseContext) -> Steps:
    found = yield metrics.get_market_metrics(context.session, ["SPY", "AAPL"])
    assert {each.symbol for each in found} == {"SPY", "AAPL"}
    assert all(0 <= float(each.implied_volatility_index_rank) <= 1 for each in found)


@covers("get_dividends")
async def dividends(context: CaseContext) -> Steps:
    found = yield metrics.get_dividends(context.session, "AAPL")
    assert all(each.amount > 0 for each in found)
    assert found


@covers("get_earnings")
async def earnings(context: CaseContext) -> Steps:
    since = _today(context) - timedelta(days=400)
    found = yield metrics.get_earnings(context.session, "AAPL", since)
    assert found
    assert all(each.occurred_date >= since for each in found)


@covers("get_risk_free_rate")
async def risk_free_rate(context: CaseContext) -> Steps:
    rate = yield metrics.get_risk_free_rate(context.session)
    assert 0 < rate < 1


@covers("get_market_data")
async def one_market_data(context: CaseContext) -> Steps:
    data = yield market_data.get_market_data(context.session, "SPY", InstrumentType.EQUITY)
    assert data.bid < data.ask


@covers("get_market_data_by_type")
async def many_market_data(context: CaseContext) -> Steps:
    found = yield market_data.get_market_data_by_type(
        context.session,
        equities=["SPY"],
        indices=["VIX", "SPX"],
        options=[await _option_symbol(context)],
        cryptocurrencies=["BTC/USD"],
    )
    by_symbol = {each.symbol: each for each in found}
    assert len(by_symbol) == 5
    assert by_symbol["VIX"].bid is None
    assert by_symbol["VIX"].mark is not None


@covers("get_market_sessions")
async def sessions(context: CaseContext) -> Steps:
    exchanges = [ExchangeType.NYSE, ExchangeType.CME]
    found = yield market_sessions.get_market_sessions(context.session, exchanges)
    assert len(found) == 2


@covers("get_market_holidays")
async def holidays(context: CaseContext) -> Steps:
    calendar = yield market_sessions.get_market_holidays(context.session)
    assert any((day.month, day.day) == (12, 25) for day in calendar.holidays)


@covers("get_futures_holidays")
async def futures_holidays(context: CaseContext) -> Steps:
    calendar = yield market_sessions.get_futures_holidays(context.session, ExchangeType.CME)
    assert calendar.holidays


@covers("symbol_search")
async def symbol_search(context: CaseContext) -> Steps:
    await context.session.refresh()  # the SDK's search is the one call that does not do it
    found = yield search.symbol_search(context.session, "AAP")
    assert "AAPL" in {each.symbol for each in found}


@covers("PublicWatchlist.get")
async def public_watchlists(context: CaseContext) -> Steps:
    found = yield watchlists.PublicWatchlist.get(context.session)
    assert found
    one = await watchlists.PublicWatchlist.get(context.session, found[0].name)
    assert one.watchlist_entries


@covers("PairsWatchlist.get")
async def pairs_watchlists(context: CaseContext) -> Steps:
    found = yield watchlists.PairsWatchlist.get(context.session)
    assert found
    one = await watchlists.PairsWatchlist.get(context.session, found[0].name)
    assert one.name == found[0].name


@covers("PrivateWatchlist.upload")
async def create_watchlist(context: CaseContext) -> Steps:
    yield _watchlist("naïve 100").upload(context.session)
    found = await watchlists.PrivateWatchlist.get(context.session, "naïve 100")
    assert found.watchlist_entries == [{"symbol": "SPY", "instrument-type": "Equity"}]


@covers("PrivateWatchlist.get")
async def private_watchlists(context: CaseContext) -> Steps:
    await _watchlist("one").upload(context.session)
    found = yield watchlists.PrivateWatchlist.get(context.session)
    assert "one" in {each.name for each in found}


@covers("PrivateWatchlist.update")
async def update_watchlist(context: CaseContext) -> Steps:
    mine = _watchlist("changed")
    await mine.upload(context.session)
    mine.add_symbol("AAPL", InstrumentType.EQUITY)
    yield mine.update(context.session)
    found = await watchlists.PrivateWatchlist.get(context.session, "changed")
    assert [each["symbol"] for each in found.watchlist_entries or ()] == ["SPY", "AAPL"]


@covers("PrivateWatchlist.remove")
async def remove_watchlist(context: CaseContext) -> Steps:
    await _watchlist("removed").upload(context.session)
    yield watchlists.PrivateWatchlist.remove(context.session, "removed")
    left = await watchlists.PrivateWatchlist.get(context.session)
    assert "removed" not in {each.name for each in left}


def _watchlist(name: str) -> watchlists.PrivateWatchlist:
    made = watchlists.PrivateWatchlist(name=name, watchlist_entries=[])
    made.add_symbol("SPY", InstrumentType.EQUITY)
    return made


async def _option_symbol(context: CaseContext) -> str:
    (chain, *_) = await instruments.NestedOptionChain.get(context.session, "SPY")
    expiration = chain.expirations[3]
    return expiration.strikes[len(expiration.strikes) // 2].call


def _today(context: CaseContext) -> date:
    return new_york_today(context.sim.clock)
