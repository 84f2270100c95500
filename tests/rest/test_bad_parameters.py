"""Every parameter of every route with values that it cannot have: the contract says which.

What is certainly wrong is 400; what is merely odd gets a documented status. Either way the answer
is a sentence in the guide's shape, and the server goes on. `make test` takes a part of the
values for each place, in turn, and `TASTY_LONG=1` all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from google.protobuf.descriptor import FieldDescriptor

from server.contract.catalog import Method, load
from server.contract.examples import load_examples
from tests.effort import one_in
from tests.rest.wrong_values import ODD_TEXTS, certainly_wrong, wrong_json
from tests.rest_call import address, call
from tests.stack import HOME, Gateway

ROUTES = [method for method in load().methods if method.http and not method.client_streaming]
QUERIES = [(method, field) for method in ROUTES for field in method.query_fields]
PATHS = [
    (method, method.request.fields_by_name[name])
    for method in ROUTES
    if method.http
    for name in method.http.path_variables
]
LEAKS = ("Traceback", "<class", "google.protobuf", "grpc", "Envoy", "upstream", "Exception")
EDGE_STATUSES = {400, 404, 405, 413, 431}
"""What the edge may say of any request before it knows whose it is."""


def bodies() -> Iterator[tuple[Method, FieldDescriptor]]:
    """The fields of every body: of its message, or of the elements of its list."""
    for method in ROUTES:
        if not method.http or not method.http.body:
            continue
        if method.http.body == "*":
            fields = list(method.request.fields)
        else:
            body = method.request.fields_by_name[method.http.body]
            fields = list(body.message_type.fields) if body.message_type else []
        yield from ((method, field) for field in fields)


BODIES = list(bodies())


@pytest.fixture(scope="module")
def documented() -> dict[str, set[int]]:
    document = json.loads((HOME / "gen" / "openapi.json").read_text())
    return {
        operation["operationId"]: {int(status) for status in operation["responses"]}
        for path in document["paths"].values()
        for operation in path.values()
    }


@pytest.fixture(autouse=True, scope="module")
def unharmed(gateway: Gateway) -> Iterator[None]:
    yield
    url = f"{gateway.url}/api/v1/balances?account_id={gateway.account}"
    answer = requests.get(url, headers={"X-API-Key": gateway.api_key}, timeout=10)
    assert answer.status_code == 200, answer.text


def named(pair: tuple[Method, FieldDescriptor]) -> str:
    return f"{pair[0].name}-{pair[1].name}"


def example(method: Method) -> dict[str, Any]:
    """Returns path, query and body of a request that is right."""
    shown = dict(load_examples().get(method.name, {}))
    shown.pop("reply", None)
    query = dict(shown.get("query", {}))
    for field in method.query_fields:
        if field.name == "account_id":
            query["account_id"] = Gateway.account
        if field.name == "symbols":
            query["symbols"] = ["SPY"]
    assert method.http is not None
    path = dict.fromkeys(method.http.path_variables, "846283")
    shown |= {"query": query, "path": {**path, **shown.get("path", {})}}
    if method.http.body and "body" not in shown:
        shown["body"] = {"message": "What are my balances?"}
    return shown


def send(
    gateway: Gateway, http: requests.Session, method: Method, request: dict[str, Any]
) -> requests.Response:
    if not method.server_streaming:
        return call(http, gateway.url, method, key=gateway.api_key, **request)
    assert method.http is not None
    answer = http.request(
        method.http.verb.upper(),
        gateway.url + address(method, request["path"], request["query"]),
        json=request.get("body"),
        headers={"X-API-Key": gateway.api_key},
        stream=True,
        timeout=60,
    )
    if answer.status_code == 200:
        answer.close()  # it would not end
    return answer


def assert_documented(
    answer: requests.Response, method: Method, documented: dict[str, set[int]], what: object
) -> None:
    status = answer.status_code
    assert status in documented[method.name] | EDGE_STATUSES, f"{what!r}: {answer.text}"
    assert status not in (500, 501, 502), f"{what!r}: {answer.text}"
    if status >= 400:
        assert answer.headers["content-type"] == "application/json"
        assert list(answer.json()) == ["detail"], answer.text
        sentence = answer.json()["detail"]
        assert sentence.strip(), f"{what!r}: it says nothing"
        assert not [leak for leak in LEAKS if leak in sentence], sentence
        assert len(sentence) < 3000, f"{len(sentence)} characters"


@pytest.mark.parametrize("pair", QUERIES, ids=named)
def test_a_query_parameter_that_is_wrong(
    gateway: Gateway,
    http: requests.Session,
    documented: dict[str, set[int]],
    pair: tuple[Method, FieldDescriptor],
) -> None:
    method, field = pair
    request = example(method)
    for wrong in one_in(3, certainly_wrong(field), first=field.index):
        query = {**request["query"], field.name: wrong}
        answer = send(gateway, http, method, request | {"query": query})
        assert answer.status_code == 400, f"{wrong!r}: {answer.status_code}"
        assert_documented(answer, method, documented, wrong)


@pytest.mark.parametrize("pair", QUERIES, ids=named)
def test_a_query_parameter_that_is_odd(
    gateway: Gateway,
    http: requests.Session,
    documented: dict[str, set[int]],
    pair: tuple[Method, FieldDescriptor],
) -> None:
    method, field = pair
    request = example(method)
    for odd in one_in(4, ODD_TEXTS, first=field.index):
        query = {**request["query"], field.name: odd}
        answer = send(gateway, http, method, request | {"query": query})
        assert_documented(answer, method, documented, odd)


@pytest.mark.parametrize("pair", QUERIES, ids=named)
def test_a_query_parameter_twice(
    gateway: Gateway, http: requests.Session, pair: tuple[Method, FieldDescriptor]
) -> None:
    method, field = pair
    if field.is_repeated:
        return  # a list is given so
    request = example(method)
    value = request["query"].get(field.name, "1")
    query = {**request["query"], field.name: [value, value]}
    answer = send(gateway, http, method, request | {"query": query})
    assert answer.status_code == 400, answer.text
    assert field.name in answer.json()["detail"]


@pytest.mark.parametrize("pair", PATHS, ids=named)
def test_a_path_variable_that_is_odd(
    gateway: Gateway,
    http: requests.Session,
    documented: dict[str, set[int]],
    pair: tuple[Method, FieldDescriptor],
) -> None:
    method, field = pair
    request = example(method)
    for odd in ODD_TEXTS[1:]:  # an empty one is another path
        path = {**request["path"], field.name: odd}
        answer = send(gateway, http, method, request | {"path": path})
        assert_documented(answer, method, documented, odd)
        assert answer.status_code >= 400 or method.name.startswith("Delete"), odd


@pytest.mark.parametrize("pair", BODIES, ids=named)
def test_a_field_of_a_body_that_is_wrong(
    gateway: Gateway,
    http: requests.Session,
    documented: dict[str, set[int]],
    pair: tuple[Method, FieldDescriptor],
) -> None:
    method, field = pair
    request = example(method)
    for wrong in wrong_json(field):
        answer = send(gateway, http, method, request | {"body": changed(request, field, wrong)})
        assert answer.status_code == 400, f"{wrong!r}: {answer.status_code} {answer.text[:300]}"
        assert_documented(answer, method, documented, wrong)


@pytest.mark.parametrize("pair", BODIES, ids=named)
def test_a_field_of_a_body_that_is_odd(
    gateway: Gateway,
    http: requests.Session,
    documented: dict[str, set[int]],
    pair: tuple[Method, FieldDescriptor],
) -> None:
    method, field = pair
    if field.type != FieldDescriptor.TYPE_STRING:
        return
    request = example(method)
    for odd in one_in(4, (*ODD_TEXTS, None), first=field.index):
        value = [odd] if field.is_repeated else odd
        answer = send(gateway, http, method, request | {"body": changed(request, field, value)})
        assert_documented(answer, method, documented, odd)


def changed(request: dict[str, Any], field: FieldDescriptor, value: object) -> Any:
    body = request["body"]
    if isinstance(body, list):
        return [{**each, field.name: value} for each in body]
    return {**body, field.name: value}


@pytest.mark.parametrize(
    "name",
    ["tech/stocks", "naïve 100%", "a b+c", "?#&=", "日本株 🚀", "manage", "%2F", 'it\'s "x"'],
)
def test_a_watchlist_of_any_name(gateway: Gateway, http: requests.Session, name: str) -> None:
    def ask(rpc: str, **request: Any) -> Any:
        answer = call(http, gateway.url, load().named(rpc), key=gateway.api_key, **request)
        assert answer.status_code == 200, answer.text
        return answer.json()

    # Others here may have made one of that name.
    call(
        http, gateway.url, load().named("DeleteWatchlist"), key=gateway.api_key, path={"name": name}
    )
    add = {"action": "add", "symbols": [{"symbol": "AAPL", "instrument_type": "Equity"}]}
    assert ask("ManageWatchlist", body=add | {"name": name})["watchlist"] == name
    (found,) = ask("ListWatchlists", query={"name": name})["watchlists"]
    assert found["name"] == name
    assert [each["symbol"] for each in found["watchlist_entries"]] == ["AAPL"]
    assert ask("DeleteWatchlist", path={"name": name})["watchlist"] == name
    left = [each["name"] for each in ask("ListWatchlists")["watchlists"]]
    assert name not in left


def test_every_kind_of_place_was_tried() -> None:
    assert len(QUERIES) > 40
    assert len(PATHS) >= 5
    assert len(BODIES) > 20
