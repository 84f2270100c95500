"""A query cannot say again what the path says, and on strict methods it says nothing unknown."""

from __future__ import annotations

import pytest

from server.contract.catalog import Contract
from server.contract.query import QueryRules
from server.errors import InvalidBody, InvalidField, UnknownField


def routes_with_variables() -> list[tuple[str, str]]:
    from server.contract.catalog import load

    return [
        (method.name, variable)
        for method in load().methods
        if method.http
        for variable in method.http.path_variables
    ]


@pytest.mark.parametrize(("name", "variable"), routes_with_variables())
@pytest.mark.parametrize(
    "spelled", ["{}", "{camel}", "%6{rest}", "{}.x"], ids=["as is", "camel", "escaped", "dotted"]
)
def test_every_path_variable_is_refused_in_the_query(
    contract: Contract, name: str, variable: str, spelled: str
) -> None:
    head, *tail = variable.split("_")
    camel = head + "".join(word.capitalize() for word in tail)
    first = f"{ord(variable[0]):02x}"
    written = spelled.replace("%6{rest}", f"%{first}{variable[1:]}")
    written = written.format(variable, camel=camel) if "{" in written else written

    with pytest.raises(InvalidField, match="in the path only"):
        QueryRules(contract.named(name)).check(f"/x/1?account_id=A&{written}=2")


def test_there_are_path_variables_to_refuse() -> None:
    assert ("CancelOrder", "order_id") in routes_with_variables()
    assert ("DeleteWatchlist", "name") in routes_with_variables()


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/orders/1",
        "/api/v1/orders/1?",
        "/api/v1/orders/1?account_id=A",
        "/api/v1/orders/order_id?account_id=order_id",
    ],
)
def test_a_right_query_passes(contract: Contract, path: str) -> None:
    QueryRules(contract.named("CancelOrder")).check(path)


@pytest.mark.parametrize(
    "query", ["foo=1", "accountId=A", "raw_body.data=e30=", "order.price=1", "=", "dry_run=true"]
)
def test_an_unknown_parameter_is_refused_where_money_moves(contract: Contract, query: str) -> None:
    with pytest.raises(UnknownField, match="account_id"):
        QueryRules(contract.named("PlaceOrder")).check(f"/api/v1/place-order?{query}")


def test_an_unknown_parameter_is_ignored_elsewhere(contract: Contract) -> None:
    QueryRules(contract.named("GetBalances")).check("/api/v1/balances?account_id=A&_=123")


@pytest.mark.parametrize("name", ["PlaceOrder", "GetBalances", "ListTransactions"])
@pytest.mark.parametrize("other", ["account_id=B", "account_id=A", "account_id=", "account%5Fid=B"])
def test_a_doubled_parameter_is_refused(contract: Contract, name: str, other: str) -> None:
    with pytest.raises(InvalidField, match="twice"):
        QueryRules(contract.named(name)).check(f"/x?account_id=A&{other}")


def test_the_same_parameter_in_two_spellings_is_doubled(contract: Contract) -> None:
    with pytest.raises(InvalidField, match="twice"):
        QueryRules(contract.named("GetBalances")).check("/x?account_id=A&accountId=B")


def test_an_unknown_parameter_may_be_doubled_elsewhere(contract: Contract) -> None:
    QueryRules(contract.named("GetBalances")).check("/x?_=1&_=2&account_id=A")


@pytest.mark.parametrize(
    "query",
    [
        "account_id=A&client_secret=s3cr3t",
        "client_secret=s3cr3t",
        "clientSecret=s3cr3t",
        "refresh_token=s3cr3t&api_key=k",
        "api_key=your_custom_key",
        "",
    ],
)
def test_nothing_in_a_query_where_all_is_in_the_body(contract: Contract, query: str) -> None:
    for name in ("SaveCredentials", "Chat", "StreamChat", "ManageWatchlist"):
        if not query:
            QueryRules(contract.named(name)).check("/x?")
            continue

        with pytest.raises(UnknownField, match="Allowed: none") as raised:
            QueryRules(contract.named(name)).check(f"/x?{query}")

        assert "s3cr3t" not in f"{raised.value}{raised.value.metadata}"


@pytest.mark.parametrize(
    ("name", "parameter"),
    [("GetQuotes", "timeout"), ("GetOptionChain", "min_strike"), ("GetOptionChain", "minStrike")],
)
def test_a_double_is_spelled_like_any_number(contract: Contract, name: str, parameter: str) -> None:
    for text in ("10", "10.0", "0.5", "-1", "010"):  # the range is the validation's business
        QueryRules(contract.named(name)).check(f"/x?{parameter}={text}")

    for text in ("0x10", "+1", "%2B1", "1e1", "1_1", "%201", "1%20", "1%0A", "1%00", ".5", "5."):
        with pytest.raises(InvalidField, match="Expected a number"):
            QueryRules(contract.named(name)).check(f"/x?{parameter}={text}")


@pytest.mark.parametrize("name", ["ListTransactions", "ListOrderHistory"])
def test_a_whole_number_is_spelled_in_digits(contract: Contract, name: str) -> None:
    QueryRules(contract.named(name)).check("/x?days=30")

    for text in (
        "30.0",
        "3e1",
        "0x1e",
        "+30",
        "%2B30",
        "3_0",
        "30%0A",
        "٣٠",
        "３０",
        "99999999999",
    ):
        with pytest.raises(InvalidField, match="Expected a whole number"):
            QueryRules(contract.named(name)).check(f"/x?days={text}")


def test_a_list_may_be_repeated(contract: Contract) -> None:
    QueryRules(contract.named("StreamQuotes")).check(
        "/api/v1/stream/quotes?symbols=SPY&symbols=AAPL"
    )


def test_a_flood_of_parameters_is_refused(contract: Contract) -> None:
    with pytest.raises(InvalidBody, match="more than 1000"):
        QueryRules(contract.named("GetBalances")).check("/x?" + "a=1&" * 2000)


def test_a_method_without_a_route_has_no_query(contract: Contract) -> None:
    QueryRules(contract.named("StreamMarketData")).check("/x?order_id=1")
