"""Tests the market's REST routes beyond their shape: filters, pages, limits, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from server.simulator import Simulator
from tests.service.simulator.market.conftest import Ask


def code(body: Any) -> str:
    return str(body["error"]["code"])


@pytest.mark.parametrize(
    "path",
    [
        "/instruments/equities/NOPE",
        "/instruments/equities/%2FESZ6",
        "/instruments/equity-options/SPY%20%20%20261218P00685500",
        "/instruments/equity-options/SPY",
        "/option-chains/NOPE",
        "/option-chains/NOPE/nested",
        "/option-chains/NOPE/compact",
        "/instruments/futures/ESZ8",
        "/instruments/futures/SPY",
        "/instruments/future-products/CME/XX",
        "/instruments/future-products/CFE/ES",
        "/instruments/future-option-products/CME/XX",
        "/instruments/future-options/.%2FESZ6%20XXXZ6%20261127C6800",
        "/futures-option-chains/XX",
        "/futures-option-chains/XX/nested",
        "/instruments/cryptocurrencies/NO%2FUSD",
        "/instruments/warrants/NOPE",
        "/market-data/Equity/NOPE",
        "/market-data/Future/SPY",
        "/market-data/Nonsense/SPY",
        "/market-metrics/historic-corporate-events/dividends/NOPE",
        "/market-metrics/historic-corporate-events/earnings-reports/NOPE?start-date=2026-01-01",
        "/market-time/futures/holidays/Smalls",
        "/public-watchlists/NOPE",
        "/pairs-watchlists/NOPE",
        "/watchlists/NOPE",
    ],
)
async def test_what_is_unknown_is_404_in_the_broker_s_envelope(ask: Ask, path: str) -> None:
    status, body = await ask(path)
    assert status == 404
    assert code(body) == "record_not_found"
    assert body["error"]["message"]


@pytest.mark.parametrize(
    "path",
    [
        "/market-data/by-type",
        "/market-metrics",
        "/market-metrics/historic-corporate-events/earnings-reports/AAPL",
        "/market-time/sessions",
        "/market-time/sessions?to-date=2029-01-01",
        "/market-time/sessions?from-date=9999-12-31&to-date=9999-12-31",
        "/market-time/equities/sessions/next?date=9999-12-31",
        "/market-time/futures/sessions/previous/CME?date=0001-01-01",
        "/market-time/sessions/current?instrument-collections[]=Smalls",
        "/instruments/equities?per-page=x",
    ],
)
async def test_what_is_missing_or_wrong_is_400(ask: Ask, path: str) -> None:
    status, body = await ask(path)
    assert status == 400
    assert code(body) == "validation_error"


async def test_market_data_takes_a_hundred_symbols(ask: Ask) -> None:
    _, nested = await ask("/option-chains/SPY/nested")
    strikes = [
        strike["call"].replace(" ", "%20")
        for expiration in nested["data"]["items"][0]["expirations"][1:3]
        for strike in expiration["strikes"]
    ]
    status, body = await ask("/market-data/by-type?equity-option=" + ",".join(strikes[:100]))
    assert status == 200
    assert len(body["data"]["items"]) == 100
    status, body = await ask(
        "/market-data/by-type?index=VIX&equity-option=" + ",".join(strikes[:100])
    )
    assert status == 400
    assert "100" in body["error"]["message"]


async def test_market_data_is_asked_for_in_three_ways_and_leaves_the_unknown_out(ask: Ask) -> None:
    for query in ("equity=SPY&equity=NOPE", "equity[]=SPY&equity[]=NOPE", "equity=SPY,NOPE,/ESZ6"):
        _, body = await ask(f"/market-data/by-type?{query}")
        assert [item["symbol"] for item in body["data"]["items"]] == ["SPY"]


async def test_market_data_of_what_misbehaves(ask: Ask) -> None:
    _, body = await ask("/market-data/by-type?index=VIX,SPX&equity=ZVZZT,ZWZZT,ZXZZT,ZJZZT")
    found = {item["symbol"]: item for item in body["data"]["items"]}
    assert not {"bid", "ask", "mid", "volume"} & set(found["VIX"])
    assert found["VIX"]["mark"] == found["VIX"]["last"]
    assert (found["SPX"]["bid-size"], found["SPX"]["instrument-type"]) == ("0.0", "Index")
    assert float(found["ZVZZT"]["bid"]) > float(found["ZVZZT"]["ask"])
    assert found["ZWZZT"]["is-trading-halted"] is True
    assert found["ZWZZT"]["halt-start-time"] > 0
    assert found["ZXZZT"]["ask-size"] == "0.0"
    assert "bid" not in found["ZJZZT"]
    assert "mid" not in found["ZJZZT"]


async def test_one_market_data_equals_its_quote(ask: Ask, sim: Simulator) -> None:
    status, body = await ask("/market-data/Equity%20Option/SPY%20%20%20261218P00685000")
    assert status == 200
    data = body["data"]
    assert float(data["bid"]) < float(data["ask"])
    assert float(data["day-low-price"]) <= float(data["last"]) <= float(data["day-high-price"])
    option = sim.market.find("SPY   261218P00685000")
    assert option is not None
    now = sim.market.quote(option)
    assert now.mid is not None
    assert float(data["mid"]) == pytest.approx(float(now.mid), rel=0.05)  # some ticks later


async def test_equities_are_filtered_and_paged(ask: Ask) -> None:
    _, body = await ask("/instruments/equities?is-index=true")
    assert {item["symbol"] for item in body["data"]["items"]} == {"SPX", "NDX", "RUT", "VIX"}
    _, body = await ask("/instruments/equities?lendability=Locate%20Required")
    assert {"GME"} <= {item["symbol"] for item in body["data"]["items"]}
    seen: list[str] = []
    for number in range(4):
        _, body = await ask(f"/instruments/equities/active?per-page=20&page-offset={number}")
        seen += [item["symbol"] for item in body["data"]["items"]]
        assert body["pagination"]["page-offset"] == number
        assert body["pagination"]["total-items"] > 60

    assert len(seen) == len(set(seen)) == body["pagination"]["total-items"]
    assert body["pagination"]["total-pages"] == 4


async def test_symbols_with_slashes_travel_escaped(ask: Ask) -> None:
    for path in (
        "/instruments/equities/BRK%2FB",
        "/option-chains/BRK%2FB/nested",
        "/instruments/cryptocurrencies/BTC%2FUSD",
        "/market-data/Equity/BRK%2FB",
        "/market-metrics/historic-corporate-events/dividends/BRK%2FB",
        "/instruments/future-options/.%2FESZ6%20EW4X6%20261127C6800",
    ):
        status, _ = await ask(path)
        assert status == 200, path


async def test_a_known_symbol_without_options_has_an_empty_chain(ask: Ask) -> None:
    for path in ("/option-chains/ZVZZT", "/option-chains/ZVZZT/nested"):
        status, body = await ask(path)
        assert (status, body["data"]["items"]) == (200, [])

    status, body = await ask("/futures-option-chains/VX/nested")
    assert status == 200
    assert body["data"]["option-chains"] == []
    assert len(body["data"]["futures"]) == 8


async def test_the_three_chains_agree_and_spx_is_large(ask: Ask) -> None:
    _, nested = await ask("/option-chains/SPX/nested")
    _, compact = await ask("/option-chains/SPX/compact")
    _, flat = await ask("/option-chains/SPX")
    from_nested = {
        strike[side]: strike[f"{side}-streamer-symbol"]
        for root in nested["data"]["items"]
        for expiration in root["expirations"]
        for strike in expiration["strikes"]
        for side in ("call", "put")
    }
    from_compact = {
        symbol: streamer
        for item in compact["data"]["items"]
        for symbol, streamer in zip(item["symbols"], item["streamer-symbols"], strict=True)
    }
    from_flat = {item["symbol"]: item["streamer-symbol"] for item in flat["data"]["items"]}
    assert len(from_flat) > 20_000
    assert from_nested == from_compact == from_flat
    assert [root["root-symbol"] for root in nested["data"]["items"]] == ["SPX", "SPXW"]
    assert {item["settlement-type"] for item in flat["data"]["items"]} == {"AM", "PM"}


async def test_every_listed_option_is_known_to_the_market(ask: Ask, sim: Simulator) -> None:
    for path in ("/option-chains/F", "/futures-option-chains/CL"):
        _, body = await ask(path)
        for item in body["data"]["items"]:
            found = sim.market.find(item["symbol"])
            assert found is not None
            assert found.streamer_symbol == item["streamer-symbol"]
            assert found.strike_price == pytest.approx(float(item["strike-price"]))


async def test_futures_by_symbol_and_by_product(ask: Ask) -> None:
    _, body = await ask("/instruments/futures?symbol[]=ESZ6&symbol[]=/CLF7&symbol[]=NOPE")
    assert [item["symbol"] for item in body["data"]["items"]] == ["/ESZ6", "/CLF7"]
    _, body = await ask("/instruments/futures?product-code[]=ES")
    items = body["data"]["items"]
    assert [item["active-month"] for item in items].count(True) == 1
    active = next(item for item in items if item["active-month"])
    following = next(item for item in items if item["next-active-month"])
    assert active["roll-target-symbol"] == following["symbol"]


async def test_metrics_make_sense(ask: Ask) -> None:
    _, body = await ask("/market-metrics?symbols=SPY,AAPL,TSLA,BRK/B,VIX,NOPE")
    found = {item["symbol"]: item for item in body["data"]["items"]}
    assert set(found) == {"SPY", "AAPL", "TSLA", "BRK/B", "VIX"}
    for item in found.values():
        assert 0 <= float(item["implied-volatility-index-rank"]) <= 1
        assert 0 <= float(item["implied-volatility-percentile"]) <= 1
        assert isinstance(item["market-cap"], int)
        assert 0 <= item["liquidity-rating"] <= 5

    assert float(found["SPY"]["beta"]) == pytest.approx(1, abs=0.05)
    assert float(found["TSLA"]["beta"]) > 1.2
    assert float(found["VIX"]["beta"]) < 0
    implied = float(found["AAPL"]["implied-volatility-index"])
    assert float(found["AAPL"]["implied-volatility-30-day"]) == pytest.approx(
        implied * 100, abs=0.01
    )
    assert 0.5 < float(found["AAPL"]["historical-volatility-90-day"]) / 100 / implied < 2
    terms = found["AAPL"]["option-expiration-implied-volatilities"]
    assert len(terms) > 20
    assert found["AAPL"]["earnings"]["expected-report-date"] > "2026-11-20"
    assert "earnings" not in found["SPY"]


async def test_dividends_and_earnings(ask: Ask) -> None:
    root = "/market-metrics/historic-corporate-events"
    _, body = await ask(f"{root}/dividends/AAPL")
    days = [item["occurred-date"] for item in body["data"]["items"]]
    assert days == sorted(days, reverse=True)
    assert days[0] <= "2026-11-20"
    assert len(days) >= 16
    _, body = await ask(f"{root}/dividends/AMZN")
    assert body["data"]["items"] == []
    _, body = await ask(f"{root}/earnings-reports/AAPL?start-date=2025-01-01&end-date=2025-12-31")
    assert len(body["data"]["items"]) == 4


async def test_sessions_of_a_market_that_never_closes(ask: Ask) -> None:
    status, body = await ask(
        "/market-time/sessions/current?instrument-collections[]=Equity&instrument-collections[]=CME"
    )
    assert status == 200
    assert [item["instrument-collection"] for item in body["data"]["items"]] == ["Equity", "CME"]
    assert {item["state"] for item in body["data"]["items"]} == {"Open"}
    _, body = await ask("/market-time/equities/holidays")
    assert {"2026-11-26", "2026-12-25"} <= set(body["data"]["market-holidays"])
    assert "2026-11-27" in body["data"]["market-half-days"]
    _, body = await ask("/market-time/futures/holidays/CME")
    assert "2026-11-26" in body["data"]["market-half-days"]
    for path in ("equities/sessions/next", "futures/sessions/previous/CFE"):
        _, body = await ask(f"/market-time/{path}")
        assert body["data"]["session-date"]


async def test_search_is_by_prefix_of_the_symbol(ask: Ask) -> None:
    async def symbols(prefix: str) -> list[str]:
        _, body = await ask(f"/symbols/search/{prefix}")
        return [item["symbol"] for item in body["data"]["items"]]

    assert (await symbols("aap"))[0] == "AAPL"
    assert await symbols("T") == sorted(await symbols("T"), key=lambda each: (len(each), each))
    assert await symbols("apple") == []
    assert "/ESZ6" in await symbols("%2FES")
    assert await symbols("BTC") == ["BTC/USD"]
    _, body = await ask("/symbols/search/SPX")
    assert body["data"]["items"][0] == {
        "symbol": "SPX",
        "description": "S&P 500 Index",
        "listed-market": "OTC",
        "price-increments": "0.01",
        "trading-hours": "9:30-16:00 New York",
        "options": True,
        "instrument-type": "Index",
    }


async def test_watchlists_are_each_customer_s_own(ask: Ask) -> None:
    entries = [{"symbol": "AAPL", "instrument-type": "Equity"}, {"symbol": "TSLA"}]
    new = {"name": "my/list & more", "watchlist-entries": entries}
    status, body = await ask("/watchlists", "POST", json=new)
    assert status == 201
    assert body["data"] == {**new, "group-name": "default", "order-index": 9999}
    status, body = await ask("/watchlists", "POST", json=new)
    assert status == 422
    path = "/watchlists/my%2Flist%20%26%20more"
    assert (await ask(path))[0] == 200
    assert (await ask(path, who="somebody else"))[0] == 404
    _, body = await ask("/watchlists", who="somebody else")
    assert body["data"]["items"] == []
    _, body = await ask(path, "PUT", json={"name": new["name"], "watchlist-entries": entries[:1]})
    assert body["data"]["watchlist-entries"] == entries[:1]
    status, body = await ask(path, "DELETE")
    assert (status, body["data"]["name"]) == (200, new["name"])
    assert (await ask(path))[0] == 404
    assert (await ask(path, "DELETE"))[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": 5},
        {"name": "x" * 300},
        {"name": "a", "watchlist-entries": "AAPL"},
        {"name": "a", "watchlist-entries": [{"instrument-type": "Equity"}]},
        {"name": "a", "watchlist-entries": ["AAPL"]},
        {"name": "a", "order-index": "first"},
        [],
    ],
)
async def test_what_is_no_watchlist_is_refused(ask: Ask, body: Any) -> None:
    status, answer = await ask("/watchlists", "POST", json=body)
    assert status == 400
    assert code(answer) == "validation_error"
    _, answer = await ask("/watchlists")
    assert [each["name"] for each in answer["data"]["items"]] == ["Favorites"]


async def test_public_watchlists(ask: Ask) -> None:
    _, body = await ask("/public-watchlists")
    assert all(each["watchlist-entries"] for each in body["data"]["items"])
    _, body = await ask("/public-watchlists?counts-only=true")
    assert not any("watchlist-entries" in each for each in body["data"]["items"])
    status, _ = await ask("/public-watchlists/Banks%20%26%20Brokers")
    assert status == 200


async def test_the_risk_free_rate_is_the_one_that_options_are_priced_with(
    ask: Ask, sim: Simulator
) -> None:
    _, body = await ask("/margin-requirements-public-configuration")
    theo = sim.market.event("TheoPrice", ".SPY261218P685")
    assert theo is not None
    assert float(body["data"]["risk-free-rate"]) == theo["interest"]
