"""Tests orders and accounts over HTTP: statuses, envelopes, filters, pages."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from server.simulator import SimulatorSettings
from server.simulator.customers import DEMO_REFRESH_TOKEN
from server.simulator.exchange import ExchangeSettings
from tests.service.simulator.exchange.conftest import CASH, MARGIN, CustomerClient, leg, limit

LOW = limit("-1.00", leg("AAPL", "Buy to Open"))
OWN_PATHS = (
    ("GET", "/balances"),
    ("GET", "/balances/USD"),
    ("GET", "/balance-snapshots"),
    ("GET", "/positions"),
    ("GET", "/transactions"),
    ("GET", "/transactions/total-fees"),
    ("GET", "/transactions/1"),
    ("GET", "/orders"),
    ("GET", "/orders/live"),
    ("GET", "/orders/1"),
    ("POST", "/orders"),
    ("POST", "/orders/dry-run"),
    ("PUT", "/orders/1"),
    ("PATCH", "/orders/1"),
    ("DELETE", "/orders/1"),
    ("POST", "/orders/1/dry-run"),
    ("GET", "/complex-orders"),
    ("GET", "/complex-orders/live"),
    ("GET", "/complex-orders/1"),
    ("POST", "/complex-orders"),
    ("POST", "/complex-orders/dry-run"),
    ("DELETE", "/complex-orders/1"),
    ("GET", "/net-liq/history?time-back=1d"),
    ("GET", "/margin-requirements/AAPL/effective"),
    ("GET", "/trading-status"),
    ("GET", "/position-limit"),
)


async def test_accounts_of_others_are_not_permitted(client: CustomerClient) -> None:
    other = await client.log_in("somebody-else")
    for method, path in OWN_PATHS:
        status, body = await client.call(method, f"/accounts/{MARGIN}{path}", LOW, headers=other)
        assert (status, body["error"]["code"]) == (403, "not_permitted"), path
        status, body = await client.call(method, f"/accounts/5WNOSUCH{path}", LOW)
        assert (status, body["error"]["code"]) == (404, "record_not_found"), path


async def test_somebody_elses_order_does_not_exist(client: CustomerClient) -> None:
    order = await client.place(LOW)
    other = await client.log_in("somebody-else")
    _, body = await client.call("GET", "/customers/me/accounts", headers=other)
    theirs = body["data"]["items"][0]["account"]["account-number"]
    for method in ("GET", "PUT", "DELETE"):
        path = f"/accounts/{theirs}/orders/{order['id']}"
        status, body = await client.call(method, path, LOW, headers=other)
        assert (status, body["error"]["code"]) == (404, "record_not_found")

    assert (await client.order(order["id"]))["status"] == "Routed"


async def test_everybody_gets_the_same_accounts_every_time(client: CustomerClient) -> None:
    seen = []
    for token in ("somebody", "somebody", "another"):
        headers = await client.log_in(token)
        _, body = await client.call("GET", "/customers/me/accounts", headers=headers)
        number = body["data"]["items"][0]["account"]["account-number"]
        _, held = await client.call("GET", f"/accounts/{number}/positions", headers=headers)
        seen.append((number, [each["symbol"] for each in held["data"]["items"]]))

    assert seen[0] == seen[1]
    assert seen[0] != seen[2]
    assert seen[0][1]


async def test_the_demo_customers_accounts(client: CustomerClient) -> None:
    items = (await client.get("/customers/me/accounts"))["items"]
    assert [each["account"]["account-number"] for each in items] == [MARGIN, CASH]
    assert [each["account"]["margin-or-cash"] for each in items] == ["Margin", "Cash"]
    assert {each["authority-level"] for each in items} == {"owner"}
    held = (await client.get(f"/accounts/{MARGIN}/positions"))["items"]
    kinds = {(each["instrument-type"], each["quantity-direction"]) for each in held}
    assert {
        ("Equity", "Long"),
        ("Equity Option", "Long"),
        ("Equity Option", "Short"),
    } <= kinds
    chain = await client.get("/option-chains/SPY/nested")
    listed = {
        strike[side]
        for each in chain["items"][0]["expirations"]
        for strike in each["strikes"]
        for side in ("call", "put")
    }
    spy = [each["symbol"] for each in held if each["symbol"].startswith("SPY   ")]
    assert spy
    assert set(spy) <= listed
    assert (await client.get(f"/accounts/{CASH}/positions"))["items"] == []
    balance = await client.get(f"/accounts/{CASH}/balances/USD")
    assert balance["net-liquidating-value"] == "0.0"


async def test_balances_are_one_for_each_currency(client: CustomerClient) -> None:
    (only,) = (await client.get(f"/accounts/{MARGIN}/balances"))["items"]
    assert only == await client.get(f"/accounts/{MARGIN}/balances/USD")
    status, body = await client.call("GET", f"/accounts/{MARGIN}/balances/EUR")
    assert (status, body["error"]["code"]) == (404, "record_not_found")


async def test_positions_are_filtered_and_marked_on_request(client: CustomerClient) -> None:
    path = f"/accounts/{MARGIN}/positions"
    every = (await client.get(path))["items"]
    assert all("mark" not in each for each in every)
    marked = (await client.get(f"{path}?include-marks=true&symbol=AAPL"))["items"]
    (aapl,) = marked
    assert Decimal(aapl["mark"]) == Decimal(aapl["mark-price"]) * 100
    spread = (await client.get(f"{path}?underlying-symbol[]=QQQ&underlying-symbol[]=IWM"))["items"]
    assert {each["underlying-symbol"] for each in spread} == {"QQQ", "IWM"}
    options = (await client.get(f"{path}?instrument-type=Equity%20Option"))["items"]
    assert 0 < len(options) < len(every)


async def test_a_worth_is_the_sum_of_its_parts(client: CustomerClient) -> None:
    held = (await client.get(f"/accounts/{MARGIN}/positions?include-marks=true"))["items"]
    balance = await client.get(f"/accounts/{MARGIN}/balances/USD")
    worth = sum(
        Decimal(each["mark"]) * (1 if each["quantity-direction"] == "Long" else -1) for each in held
    )
    net = Decimal(balance["cash-balance"]) + worth
    assert abs(net - Decimal(balance["net-liquidating-value"])) <= Decimal("0.05")


async def test_closed_positions_are_shown_on_request_until_the_night(
    client: CustomerClient,
) -> None:
    await client.place(limit("1.00", leg("SPY", "Sell to Close", 30)))
    await client.pass_time()
    path = f"/accounts/{MARGIN}/positions?symbol=SPY"
    assert (await client.get(path))["items"] == []
    (closed,) = (await client.get(f"{path}&include-closed-positions=true"))["items"]
    assert (closed["quantity"], closed["quantity-direction"]) == ("0.0", "Zero")
    assert closed["realized-today-effect"] == "Credit"


async def test_a_placement_answers_routed_and_fills_later(client: CustomerClient) -> None:
    body = limit("-999.00", leg("AAPL", "Buy to Open", 5), external_identifier="mine-1")
    status, answer = await client.call("POST", f"/accounts/{MARGIN}/orders", body)
    assert status == 201, answer
    placed = answer["data"]["order"]
    assert (placed["status"], placed["external-identifier"]) == ("Routed", "mine-1")
    assert answer["data"]["fee-calculation"]["total-fees"] == "0.005"
    assert answer["data"]["warnings"] == []
    await client.pass_time()
    order = await client.order(placed["id"])
    (fill,) = order["legs"][0]["fills"]
    assert (order["status"], fill["quantity"]) == ("Filled", 5)
    (trade,) = (await client.get(f"/accounts/{MARGIN}/transactions?start-at=2026-03-10T15:00:00Z"))[
        "items"
    ]
    assert (trade["order-id"], trade["price"]) == (placed["id"], fill["fill-price"])
    fees = await client.get(f"/accounts/{MARGIN}/transactions/total-fees")
    assert fees == {"total-fees": "0.01", "total-fees-effect": "Debit"}


async def test_numbers_and_texts_are_the_same_price(client: CustomerClient) -> None:
    texts = await client.place(limit("-1.23", leg("AAPL", "Buy to Open", "2")))
    numbers = await client.place(LOW | {"price": 1.23, "legs": [leg("AAPL", "Buy to Open", 2)]})
    for name in ("price", "price-effect", "size"):
        assert texts[name] == numbers[name]


async def test_what_is_no_json_is_400(client: CustomerClient) -> None:
    path, headers = f"/accounts/{MARGIN}/orders", client.headers
    for text in ("{", "", "[1,", '{"price": NaN}', "\x00", "[" * 100_000, "9" * 5000):
        async with client.http.post(path, data=text.encode(), headers=headers) as response:
            assert response.status == 400
            assert (await response.json())["error"]["code"] == "invalid_json"


async def test_a_dry_run_leaves_nothing_behind(client: CustomerClient) -> None:
    before = await client.get(f"/accounts/{MARGIN}/balances/USD")
    status, answer = await client.call("POST", f"/accounts/{MARGIN}/orders/dry-run", LOW)
    assert status == 200
    order = answer["data"]["order"]
    assert "id" not in order
    assert (order["updated-at"], order["status"]) == (0, "Received")
    assert answer["data"]["buying-power-effect"]["effect"] == "Debit"
    assert await client.get(f"/accounts/{MARGIN}/balances/USD") == before
    live = (await client.get(f"/accounts/{MARGIN}/orders/live"))["items"]
    assert all(each.get("source") == "history" for each in live)


async def test_a_dry_run_warns_of_what_a_placement_refuses(client: CustomerClient) -> None:
    large = limit("-200.00", leg("AAPL", "Buy to Open", 9000))
    status, answer = await client.call("POST", f"/accounts/{MARGIN}/orders/dry-run", large)
    assert status == 200
    assert [each["code"] for each in answer["data"]["warnings"]] == ["margin_check_failed"]
    assert answer["data"]["errors"] == answer["data"]["warnings"]
    assert answer["data"]["buying-power-effect"]["new-buying-power-effect"] == "Debit"
    status, answer = await client.call("POST", f"/accounts/{MARGIN}/orders", large)
    assert (status, answer["error"]["code"]) == (422, "preflight_check_failure")
    assert answer["error"]["errors"][0]["code"] == "margin_check_failed"


class TestABrokerThatRefusesInDryRuns:
    @pytest.fixture
    def settings(self) -> SimulatorSettings:
        return SimulatorSettings(exchange=ExchangeSettings(dry_run_refuses_margin=True))

    async def test_the_figures_are_beside_the_error(self, client: CustomerClient) -> None:
        large = limit("-200.00", leg("AAPL", "Buy to Open", 9000))
        status, answer = await client.call("POST", f"/accounts/{MARGIN}/orders/dry-run", large)
        assert status == 422
        assert answer["error"]["errors"][0]["code"] == "margin_check_failed"
        assert answer["data"]["buying-power-effect"]["change-in-buying-power-effect"] == "Debit"


async def test_replacing_and_patching(client: CustomerClient) -> None:
    placed = await client.place(LOW)
    await client.pass_time()
    path = f"/accounts/{MARGIN}/orders/{placed['id']}"
    change = {"order-type": "Limit", "time-in-force": "Day", "price-effect": "Debit"}
    status, dry = await client.call("POST", f"{path}/dry-run", change | {"price": "2.00"})
    assert (status, dry["data"]["order"]["price"]) == (200, "2.0")
    assert "id" not in dry["data"]["order"]
    status, answer = await client.call("PUT", path, change | {"price": "2.00"})
    assert status == 200
    second = answer["data"]
    assert (second["status"], second["replaces-order-id"]) == ("Contingent", placed["id"])
    assert (await client.order(placed["id"]))["status"] == "Replace Requested"
    await client.pass_time()
    patch = {"price": "3.00", "price-effect": "Debit"}
    path = f"/accounts/{MARGIN}/orders/{second['id']}"
    status, answer = await client.call("PATCH", path, patch)
    third = answer["data"]
    assert (status, third["price"], third["time-in-force"]) == (200, "3.0", "Day")
    await client.pass_time()
    chain = [await client.order(number) for number in (placed["id"], second["id"], third["id"])]
    assert [each["status"] for each in chain] == ["Cancelled", "Cancelled", "Live"]
    assert [each["edited"] for each in chain] == [True, True, False]
    assert chain[0]["replacing-order-id"] == second["id"]


async def test_cancelling(client: CustomerClient) -> None:
    placed = await client.place(LOW)
    path = f"/accounts/{MARGIN}/orders/{placed['id']}"
    status, answer = await client.call("DELETE", path)
    assert (status, answer["data"]["status"]) == (200, "Cancel Requested")
    await client.pass_time()
    status, answer = await client.call("DELETE", path)
    assert (status, answer["error"]["code"]) == (422, "cannot_update_order")


async def test_live_orders_are_everything_of_today(client: CustomerClient) -> None:
    await client.place(limit("-999.00", leg("F", "Buy to Open")))
    low = await client.place(LOW)
    await client.call("DELETE", f"/accounts/{MARGIN}/orders/{low['id']}")
    await client.pass_time()
    items = (await client.get(f"/accounts/{MARGIN}/orders/live"))["items"]
    assert {"Filled", "Cancelled", "Live"} <= {each["status"] for each in items}
    assert [each["id"] for each in items] == sorted((each["id"] for each in items), reverse=True)
    of_customer = (await client.get("/customers/me/orders/live"))["items"]
    assert of_customer == items


async def test_orders_come_in_pages_of_ten(client: CustomerClient) -> None:
    path = f"/accounts/{MARGIN}/orders"
    status, first = await client.call("GET", path)
    assert (status, len(first["data"]["items"])) == (200, 10)
    page = first["pagination"]
    assert (page["per-page"], page["page-offset"]) == (10, 0)
    seen = [each["id"] for each in first["data"]["items"]]
    for offset in range(1, page["total-pages"]):
        _, body = await client.call("GET", f"{path}?page-offset={offset}")
        seen += [each["id"] for each in body["data"]["items"]]

    assert len(seen) == len(set(seen)) == page["total-items"]
    assert seen == sorted(seen, reverse=True)
    _, body = await client.call("GET", f"{path}?page-offset=99")
    assert body["data"]["items"] == []


ORDER_FILTERS = {
    "status[]=Filled": lambda each: each["status"] == "Filled",
    "status[]=Filled&status[]=Rejected": lambda each: each["status"] in ("Filled", "Rejected"),
    "underlying-symbol=SPY": lambda each: each["underlying-symbol"] == "SPY",
    "start-date=2026-03-01": lambda each: each["received-at"] >= "2026-03-01",
    "end-date=2026-01-31": lambda each: each["received-at"] < "2026-02-01T06",
    "start-at=2026-03-01T00:00:00Z": lambda each: each["received-at"] >= "2026-03-01",
    "end-at=2026-02-01T00:00:00Z": lambda each: each["received-at"] < "2026-02-01",
    "underlying-instrument-type=Equity": lambda each: True,
    "underlying-instrument-type=Future": lambda each: False,
    "futures-symbol=/ESH6": lambda each: False,
    "external-identifier=mine": lambda each: each.get("external-identifier") == "mine",
}


async def test_orders_are_filtered(client: CustomerClient) -> None:
    await client.place(LOW | {"external-identifier": "mine"})
    path = f"/accounts/{MARGIN}/orders?per-page=100"
    every = (await client.get(path))["items"]
    for query, wanted in ORDER_FILTERS.items():
        found = (await client.get(f"{path}&{query}"))["items"]
        assert found == [each for each in every if wanted(each)], query
        customers = (await client.get(f"/customers/me/orders?per-page=100&{query}"))["items"]
        assert customers == found, query


TRANSACTION_FILTERS = {
    "type=Trade": lambda each: each["transaction-type"] == "Trade",
    "types[]=Money%20Movement": lambda each: each["transaction-type"] == "Money Movement",
    "sub-type[]=Deposit": lambda each: each["transaction-sub-type"] == "Deposit",
    "symbol=AAPL": lambda each: each.get("symbol") == "AAPL",
    "underlying-symbol=AAPL": lambda each: each.get("underlying-symbol") == "AAPL",
    "instrument-type=Equity": lambda each: each.get("instrument-type") == "Equity",
    "action=Sell%20to%20Open": lambda each: each.get("action") == "Sell to Open",
    "start-date=2026-02-01": lambda each: each["transaction-date"] >= "2026-02-01",
    "end-date=2026-02-01": lambda each: each["transaction-date"] <= "2026-02-01",
    "futures-symbol=/ESH6": lambda each: False,
}


async def test_transactions_are_filtered(client: CustomerClient) -> None:
    path = f"/accounts/{MARGIN}/transactions"
    every = (await client.get(path))["items"]
    for query, wanted in TRANSACTION_FILTERS.items():
        found = (await client.get(f"{path}?{query}"))["items"]
        assert found == [each for each in every if wanted(each)], query
        assert len(found) < len(every), query
        assert found or "futures" in query, query


async def test_transactions_are_sorted_and_paged(client: CustomerClient) -> None:
    path = f"/accounts/{MARGIN}/transactions"
    newest = (await client.get(path))["items"]
    oldest = (await client.get(f"{path}?sort=Asc"))["items"]
    assert newest == oldest[::-1]
    _, page = await client.call("GET", f"{path}?per-page=3&page-offset=1")
    assert page["data"]["items"] == newest[3:6]
    assert page["pagination"]["total-items"] == len(newest)
    single = await client.get(f"{path}/{newest[0]['id']}")
    assert single == newest[0]


BAD_PARAMETERS = (
    "/orders?per-page=0",
    "/orders?page-offset=-1",
    "/orders?sort=Up",
    "/orders?start-date=yesterday",
    "/orders?start-at=noon",
    "/transactions?per-page=many",
    "/transactions?sort=desc",
    "/balance-snapshots?time-of-day=NOON",
    "/net-liq/history",
    "/net-liq/history?time-back=2y",
)


async def test_bad_parameters_are_400(client: CustomerClient) -> None:
    for path in BAD_PARAMETERS:
        status, body = await client.call("GET", f"/accounts/{MARGIN}{path}")
        assert (status, body["error"]["code"]) == (400, "validation_error"), path
        assert body["error"]["errors"][0]["domain"]


async def test_what_does_not_exist_is_404(client: CustomerClient) -> None:
    endless = "9" * 5000  # more digits than Python reads as a number
    for path in (
        "/orders/999",
        "/orders/x",
        "/complex-orders/9",
        "/transactions/9",
        f"/orders/{endless}",
        f"/complex-orders/{endless}",
        f"/transactions/{endless}",
    ):
        status, body = await client.call("GET", f"/accounts/{MARGIN}{path}")
        assert (status, body["error"]["code"]) == (404, "record_not_found"), path


def bracket(kind: str = "OCO") -> dict[str, Any]:
    sell = leg("AAPL", "Sell to Close", 10)
    stop = {
        "order-type": "Stop",
        "time-in-force": "GTC",
        "stop-trigger": "1.00",
        "legs": [sell],
    }
    return {"type": kind, "orders": [limit("9999.00", sell, time_in_force="GTC"), stop]}


async def test_a_complex_order_lives_under_its_own_id(client: CustomerClient) -> None:
    path = f"/accounts/{MARGIN}/complex-orders"
    status, answer = await client.call("POST", path, bracket())
    assert status == 201, answer
    placed = answer["data"]["complex-order"]
    assert "buying-power-effect" in answer["data"]
    found = await client.get(f"{path}/{placed['id']}")
    assert [each["complex-order-id"] for each in found["orders"]] == [placed["id"]] * 2
    for listing in (path, f"{path}/live"):
        assert found["id"] in {each["id"] for each in (await client.get(listing))["items"]}

    await client.pass_time()
    status, answer = await client.call("DELETE", f"{path}/{placed['id']}")
    assert status == 200
    assert [each["status"] for each in answer["data"]["orders"]] == ["Cancel Requested"] * 2
    await client.pass_time()
    ended = await client.get(f"{path}/{placed['id']}")
    assert [each["status"] for each in ended["orders"]] == ["Cancelled"] * 2
    assert ended["terminal-at"]
    status, answer = await client.call("DELETE", f"{path}/{placed['id']}")
    assert (status, answer["error"]["code"]) == (422, "cannot_update_order")


UNREADABLE_BRACKETS: tuple[Any, ...] = (
    [],
    {},
    bracket("PAIRS"),
    bracket("OTO"),
    bracket() | {"orders": []},
    bracket() | {"orders": bracket()["orders"][:1]},
    bracket() | {"trigger-order": LOW},
    bracket("OTOCO"),
    bracket() | {"orders": [{}, {}]},
)


async def test_unreadable_complex_orders_are_400(client: CustomerClient) -> None:
    for body in UNREADABLE_BRACKETS:
        for path in ("/complex-orders", "/complex-orders/dry-run"):
            status, answer = await client.call("POST", f"/accounts/{MARGIN}{path}", body)
            assert (status, answer["error"]["code"]) == (400, "validation_error"), body


async def test_scripts_and_fills_by_hand(client: CustomerClient) -> None:
    script = {"behavior": "reject", "reject-reason": "Halted", "count": 2}
    assert (await client.call("POST", "/_admin/exchange/scripts", script))[1] == {"scripts": 2}
    first, second, third = [await client.place(LOW) for _ in range(3)]
    await client.pass_time()
    for rejected in (first, second):
        assert (await client.order(rejected["id"]))["reject-reason"] == "Halted"

    fill = {"order_id": third["id"]}
    status, order = await client.call("POST", "/_admin/exchange/fills", fill)
    assert (status, order["status"]) == (201, "Filled")
    assert order["legs"][0]["fills"][0]["fill-price"] == "1.0"
    status, _ = await client.call("POST", "/_admin/exchange/fills", fill)
    assert status == 409
    status, _ = await client.call("POST", "/_admin/exchange/fills", {"order_id": 1})
    assert status == 404
    status, figures = await client.call("GET", "/_admin/exchange/statistics")
    assert (status, figures["rejected"], figures["scripts"]) == (200, 2, 0)


async def test_bad_scripts_and_transfers_are_refused(client: CustomerClient) -> None:
    await client.get("/customers/me/accounts")
    for body in ({"behavior": "maybe"}, {"count": 0}, {"behavior": "delayed", "delay": -1}, []):
        assert (await client.call("POST", "/_admin/exchange/scripts", body))[0] == 400

    for amount in (None, 0, "0.001", "NaN", "much"):
        body = {"account": MARGIN, "amount": amount}
        assert (await client.call("POST", "/_admin/exchange/transfers", body))[0] == 400

    for number in (None, [1], {}, "1"):
        body = {"order_id": number}
        assert (await client.call("POST", "/_admin/exchange/fills", body))[0] == 404

    unknown = {"account": "5WNOSUCH", "amount": 1}
    assert (await client.call("POST", "/_admin/exchange/transfers", unknown))[0] == 404


async def test_money_comes_and_goes(client: CustomerClient) -> None:
    await client.get("/customers/me/accounts")
    for amount, left in ((1500, "1500.0"), ("-400.50", "1099.5")):
        body = {"account": CASH, "amount": amount}
        status, booked = await client.call("POST", "/_admin/exchange/transfers", body)
        assert (status, booked["transaction-type"]) == (201, "Money Movement")
        assert (await client.get(f"/accounts/{CASH}/balances/USD"))["cash-balance"] == left


class TestABrokerWithRealHours:
    @pytest.fixture
    def settings(self) -> SimulatorSettings:
        return SimulatorSettings(real_hours=True)

    async def test_an_order_of_the_weekend_waits_for_monday(self, client: CustomerClient) -> None:
        await client.clock.advance(timedelta(days=4))  # a Saturday
        client.sim.exchange.step()
        client.headers = await client.log_in(DEMO_REFRESH_TOKEN)
        buy = limit("-999.00", leg("AAPL", "Buy to Open"))
        status, answer = await client.call("POST", f"/accounts/{MARGIN}/orders", buy)
        order = answer["data"]["order"]
        assert (status, order["status"]) == (201, "Received")
        assert [each["code"] for each in answer["data"]["warnings"]] == ["tif.next_valid_session"]
        await client.pass_time()
        assert (await client.order(order["id"]))["status"] == "Received"
        await client.clock.advance(timedelta(days=1, hours=23))  # Monday, 10:00 in New York
        await client.pass_time()
        client.headers = await client.log_in(DEMO_REFRESH_TOKEN)
        filled = await client.order(order["id"])
        assert filled["status"] == "Filled"
        assert filled["in-flight-at"].startswith("2026-03-16T14:00")

    async def test_a_day_order_ends_with_the_session(self, client: CustomerClient) -> None:
        order = await client.place(LOW)
        await client.clock.advance(timedelta(hours=5, minutes=30))
        client.sim.exchange.step()
        client.headers = await client.log_in(DEMO_REFRESH_TOKEN)
        ended = await client.order(order["id"])
        assert (ended["status"], ended["terminal-at"]) == (
            "Expired",
            "2026-03-10T20:00:00.000+00:00",
        )


async def test_a_market_that_never_closes_ends_its_day_at_midnight(client: CustomerClient) -> None:
    order = await client.place(LOW)
    await client.clock.advance(timedelta(hours=14))
    client.sim.exchange.step()
    client.headers = await client.log_in(DEMO_REFRESH_TOKEN)
    assert (await client.order(order["id"]))["terminal-at"] == "2026-03-11T04:00:00.000+00:00"


async def test_index_and_future_options_trade_on_their_own_ticks(client: CustomerClient) -> None:
    chain = await client.get("/option-chains/SPX/nested")
    expiration = chain["items"][0]["expirations"][3]
    middle = expiration["strikes"][len(expiration["strikes"]) // 2]
    futures = await client.get("/futures-option-chains/ES/nested")
    strikes = futures["option-chains"][0]["expirations"][0]["strikes"]
    cases = (
        (middle["put"], "Equity Option", "-3.03"),
        (strikes[len(strikes) // 2]["put"], "Future Option", "-3.03"),
        ("/ESH6", "Future", "-5000.10"),
        ("BTC/USD", "Cryptocurrency", "-1.001"),
    )
    for symbol, kind, price in cases:
        action = "Buy" if kind == "Future" else "Buy to Open"
        order = await client.place(limit(price, leg(symbol, action, 1, kind)))
        await client.pass_time(0.2)
        rejected = await client.order(order["id"])
        assert rejected["status"] == "Rejected", symbol
        assert "increment" in rejected["reject-reason"]


async def test_every_kind_of_instrument_can_be_bought_and_is_held(client: CustomerClient) -> None:
    futures = await client.get("/futures-option-chains/ES/nested")
    strikes = futures["option-chains"][0]["expirations"][0]["strikes"]
    wanted = (
        ("/ESH6", "Future", 1),
        (strikes[len(strikes) // 2]["put"], "Future Option", 1),
        ("BTC/USD", "Cryptocurrency", "0.01"),
    )
    for symbol, kind, quantity in wanted:
        body = {
            "order-type": "Market",
            "time-in-force": "Day",
            "legs": [leg(symbol, "Buy" if kind == "Future" else "Buy to Open", quantity, kind)],
        }
        order = await client.place(body)
        await client.pass_time()
        assert (await client.order(order["id"]))["status"] == "Filled", symbol

    items = (await client.get(f"/accounts/{MARGIN}/positions?include-marks=true"))["items"]
    held = {each["symbol"]: each for each in items}
    for symbol, kind, quantity in wanted:
        assert held[symbol]["instrument-type"] == kind
        assert Decimal(held[symbol]["quantity"]) == Decimal(quantity)
        assert Decimal(held[symbol]["mark"]) > 0

    balance = await client.get(f"/accounts/{MARGIN}/balances/USD")
    assert Decimal(balance["futures-margin-requirement"]) > 0
    assert Decimal(balance["long-cryptocurrency-value"]) > 0
