"""What REST callers get through the edge: paths, queries, bodies, headers and large answers."""

from __future__ import annotations

import json
import uuid
from urllib.parse import quote

import grpc
import pytest
import requests
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.json_format import ParseDict
from tasty.v1 import (
    credentials_service_pb2,
    market_data_service_pb2,
    order_service_pb2,
    reference_service_pb2,
    watchlist_service_pb2,
)

from server.contract.catalog import load
from server.contract.edge import unpack
from server.wire.printing import printer_of
from tests.stack import Edge

CHAIN = "/tasty.v1.ReferenceService/GetOptionChain"
ORDER = "/tasty.v1.OrderService/GetOrder"
STATUS = "/tasty.v1.ReferenceService/GetMarketStatus"
SEARCH = "/tasty.v1.ReferenceService/SearchSymbols"
ORIGIN = {"origin": "https://app.example"}


@pytest.mark.parametrize("path", ["/api/v1/market-status", "/api/v1/market-status/"])
@pytest.mark.parametrize("names", [[], ["Equity"], ["Equity", 'C"ME]}', "café"]])
def test_market_status_is_an_array(
    edge: Edge, http: requests.Session, path: str, names: list[str]
) -> None:
    sessions = [{"exchange": name, "status": "open"} for name in names]
    answer = reference_service_pb2.GetMarketStatusResponse(sessions=sessions)
    edge.backend.answers[STATUS] = lambda _request, _context: answer.SerializeToString()
    got = http.get(edge.url + path, params={"exchanges": names})
    assert [(s["exchange"], s["status"]) for s in got.json()] == [(name, "open") for name in names]
    assert got.headers["content-length"] == str(len(got.content))
    request = reference_service_pb2.GetMarketStatusRequest.FromString(edge.backend.last.request)
    assert list(request.exchanges) == names


@pytest.mark.parametrize(
    "name",
    ["tech-stocks", "tech/stocks", "my list", "a+b", "a:b", "café", "100%", "..", "a?b#c", "%2F"],
)
def test_a_name_in_a_path_arrives_unchanged(edge: Edge, http: requests.Session, name: str) -> None:
    # Prepared by hand: `requests` would make /private/.. of a name that is two dots.
    request = requests.Request("DELETE", edge.url).prepare()
    request.url = f"{edge.url}/api/v1/watchlists/private/{quote(name, safe='')}"
    if name == "..":
        request.url = request.url.replace("..", "%2E%2E")
        assert http.send(request).status_code == 405, "normalized away, as HTTP has it"
        return
    assert http.send(request).status_code == 200
    sent = watchlist_service_pb2.DeleteWatchlistRequest.FromString(edge.backend.last.request)
    assert sent.name == name


@pytest.mark.parametrize("name", ["a:b", ":b", "a:", "a:b:c", "it's", "a+b", "a@b,c;d=e&f!"])
def test_a_name_need_not_be_encoded_more_than_a_path_asks_for(edge: Edge, name: str) -> None:
    """RFC 3986 lets all of these stand in a path as they are, and curl sends what it is given."""
    url = f"{edge.url}/api/v1/watchlists/private/{name}"
    assert requests.delete(url, timeout=10).status_code == 200
    sent = watchlist_service_pb2.DeleteWatchlistRequest.FromString(edge.backend.last.request)
    assert sent.name == name


@pytest.mark.parametrize("symbol", ["SPY", "BRK/B", "/ESZ6", "SPY   251219P00685000", "%2F", "a&b"])
def test_a_symbol_in_a_query_arrives_unchanged(
    edge: Edge, http: requests.Session, symbol: str
) -> None:
    for url in (
        f"{edge.url}/api/v1/search-symbols?symbol={quote(symbol, safe='')}",
        f"{edge.url}/api/v1/search-symbols?symbol={quote(symbol, safe='').replace('%20', '+')}",
    ):
        assert http.get(url).status_code == 200
        sent = reference_service_pb2.SearchSymbolsRequest.FromString(edge.backend.last.request)
        assert sent.symbol == symbol


def test_an_array_body_beside_a_query(edge: Edge, http: requests.Session) -> None:
    body = b'[{"symbol": "AAPL", "option_type": null}, {"symbol": "SPY", "strike_price": 690.0}]'
    http.post(f"{edge.url}/api/v1/quotes?timeout=7.5&unknown=x", data=body)
    sent = market_data_service_pb2.GetQuotesRequest.FromString(edge.backend.last.request)
    read = unpack(load().named("GetQuotes"), sent)
    assert [instrument.symbol for instrument in read.instruments] == ["AAPL", "SPY"]
    assert not read.instruments[0].HasField("option_type")
    assert read.timeout == 7.5


def test_the_path_that_was_asked_for_is_passed_on(edge: Edge, http: requests.Session) -> None:
    lie = {"x-envoy-original-path": "/lie", "x-envoy-original-method": "LIE"}
    path = "/api/v1/orders/7?account_id=1&account_id=2&dry_rum=true"
    http.delete(edge.url + path, headers=lie)
    assert edge.backend.last.metadata["x-envoy-original-path"] == path
    assert edge.backend.last.metadata["x-envoy-original-method"] == "DELETE"
    with grpc.insecure_channel(edge.target) as channel:
        cancel = channel.unary_unary("/tasty.v1.OrderService/CancelOrder")
        cancel(b"", metadata=list(lie.items()))
    assert "x-envoy-original-path" not in edge.backend.last.metadata


@pytest.mark.parametrize("path", ["//api///v1/orders/7", "/x/../api/v1/orders/7"])
def test_paths_are_normalized(edge: Edge, http: requests.Session, path: str) -> None:
    request = requests.Request("GET", edge.url).prepare()
    request.url = edge.url + path
    assert http.send(request).status_code == 200
    sent = order_service_pb2.GetOrderRequest.FromString(edge.backend.last.request)
    assert sent.order_id == "7"


def test_the_api_key_becomes_metadata_and_is_never_logged(
    edge: Edge, http: requests.Session
) -> None:
    key = "canary-" + uuid.uuid4().hex
    headers = {"X-API-Key": key}
    http.get(f"{edge.url}/health", headers=headers)
    assert edge.backend.last.metadata["x-api-key"] == key
    http.delete(f"{edge.url}/api/v1/credentials/{key}", headers=headers)
    sent = credentials_service_pb2.DeleteCredentialsRequest.FromString(edge.backend.last.request)
    assert sent.api_key == key
    # Refused by the edge itself, so that its access log has them:
    for path in (f"/api/v1/nothing/{key}", f"/api/v1/credentials/{key}/x?key={key}"):
        assert http.get(edge.url + path, headers=headers).status_code == 404
    assert http.put(f"{edge.url}/api/v1/credentials/{key}", headers=headers).status_code == 405
    last = uuid.uuid4().hex
    assert http.get(f"{edge.url}/last", headers={"x-request-id": last}).status_code == 404
    log = edge.log_until(last)
    assert sum("status=404" in line for line in log) >= 2
    assert not [line for line in log if key in line]


def test_a_request_id_is_made_or_kept(edge: Edge, http: requests.Session) -> None:
    made = http.get(f"{edge.url}/health")
    assert made.headers["x-request-id"] == edge.backend.last.metadata["x-request-id"]
    assert uuid.UUID(made.headers["x-request-id"])
    for mine in ("mine-1", str(uuid.uuid4())):
        kept = http.get(f"{edge.url}/health", headers={"x-request-id": mine})
        assert kept.headers["x-request-id"] == mine
        assert edge.backend.last.metadata["x-request-id"] == mine
    refused = http.get(f"{edge.url}/nothing", headers={"x-request-id": "mine-2"})
    assert refused.headers["x-request-id"] == "mine-2"


def test_answers_carry_no_grpc_headers_and_stay_out_of_caches(
    edge: Edge, http: requests.Session
) -> None:
    for path in ("/health", "/api/v1/market-status", "/api/v1/nothing"):
        headers = http.get(edge.url + path).headers
        assert not [name for name in headers if name.lower().startswith(("grpc-", "x-envoy"))]
        assert headers["content-type"] == "application/json"
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["server"] == "tasty-gateway"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/health", None, 200),
        ("GET", "/api/v1/nothing", None, 404),
        ("PUT", "/health", None, 405),
        ("POST", "/api/v1/quotes?timeout=soon", b"[]", 400),
        ("POST", "/api/v1/quotes", b" " * 3_000_000, 413),
        ("DELETE", "/api/v1/watchlists/private/%FF", None, 400),
    ],
)
def test_every_answer_to_another_origin_may_be_read(
    edge: Edge, http: requests.Session, method: str, path: str, body: bytes | None, status: int
) -> None:
    answer = http.request(method, edge.url + path, data=body, headers=ORIGIN)
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == ORIGIN["origin"]
    assert "x-request-id" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/api/v1/quotes", "/api/v1/orders/7", "/anything"])
def test_a_preflight(edge: Edge, http: requests.Session, path: str) -> None:
    asked = {
        **ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-api-key",
    }
    answer = http.options(edge.url + path, headers=asked)
    assert answer.status_code == 200
    assert "DELETE" in answer.headers["access-control-allow-methods"]
    assert "x-api-key" in answer.headers["access-control-allow-headers"]
    assert not edge.backend.calls


def test_an_spx_chain_arrives_whole(edge: Edge, http: requests.Session) -> None:
    contract = {
        "strike_price": 5800.0,
        "option_type": "C",
        "streamer_symbol": ".SPXW261218C5800",
        "expiration_date": "2026-12-18",
        "symbol": "SPXW  261218C05800000",
        "settlement_type": "PM",
        "expiration_type": "Weekly",
        "root_symbol": "SPXW",
    }
    # Printed by the server: see is_printed in server/contract/edge.py.
    json_text = json.dumps({"symbol": "SPX", "all_options": [contract] * 44_000}).encode()
    body = HttpBody(content_type="application/json", data=json_text).SerializeToString()
    edge.backend.answers[CHAIN] = lambda _request, _context: body
    plain = http.get(
        f"{edge.url}/api/v1/option-chain?symbol=SPX", headers={"accept-encoding": "identity"}
    )
    assert len(plain.json()["all_options"]) == 44_000
    assert plain.headers["content-type"] == "application/json"
    assert plain.content == json_text
    assert len(plain.content) > 8_000_000
    packed = http.get(
        f"{edge.url}/api/v1/option-chain?symbol=SPX",
        headers={"accept-encoding": "gzip"},
        stream=True,
    )
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content


def test_the_api_description_is_served(edge: Edge, http: requests.Session) -> None:
    answer = http.get(f"{edge.url}/openapi.json", headers=ORIGIN)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "/api/v1/balances" in answer.json()["paths"]
    assert not edge.backend.calls


@pytest.mark.parametrize(
    "path",
    [
        "/openapi.jsonx",
        "/openapi.json/",
        "/openapi.json/../../pyproject.toml",
        "/openapi.json%2F..%2Ftools.json",
        "/openapi.json%2F..%2F..%2Fpyproject.toml",
        "/openapi.json/%2E%2E/tools.json",
        "/openapi.json/..%5Ctools.json",
    ],
)
def test_no_other_file_is_served(edge: Edge, http: requests.Session, path: str) -> None:
    request = requests.Request("GET", edge.url).prepare()
    request.url = edge.url + path
    answer = http.send(request)
    assert answer.status_code in (400, 404)
    assert list(answer.json()) == ["detail"]


def test_small_answers_are_not_compressed(edge: Edge, http: requests.Session) -> None:
    answer = http.get(f"{edge.url}/health", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers


def test_order_bodies_arrive_byte_for_byte(edge: Edge, http: requests.Session) -> None:
    body = b'{ "legs": [ ], "dry_rum": true,\n "price": -4.50, "price": 1e400 }'
    url = f"{edge.url}/api/v1/place-order?account_id=1"
    http.post(url, data=body, headers={"content-type": "application/json"})
    assert body in edge.backend.last.request


@pytest.mark.parametrize("quantity", [0, 1, -3, 0.05, 1e-7, 1234567.25, 1e14, 1e15, 1e22])
@pytest.mark.parametrize("words", ["", 'a "b" \\ \n\t', "<é> & \u2028 \U0001f4c8"])
def test_envoy_and_the_server_print_alike(
    edge: Edge, http: requests.Session, quantity: float, words: str
) -> None:
    """What the server prints elsewhere (`is_printed`) is what Envoy prints here."""
    leg = {"quantity": quantity, "fills": [{"filled_at": "2026-11-27T18:24:46.4Z"}]}
    order = {
        "id": "7",
        "legs": [leg, {}],
        "reject_reason": words,
        "price": "",
        "editable": True,
        "received_at": "2026-11-27T18:24:46Z",
        "live_at": "1969-12-31T23:59:59.000001Z",
        "updated_at": "2026-11-27T18:24:46.123456789Z",
    }
    answer = ParseDict({"order": order}, order_service_pb2.GetOrderResponse())
    edge.backend.answers[ORDER] = lambda _request, _context: answer.SerializeToString()
    got = http.get(f"{edge.url}/api/v1/orders/7?account_id=1")
    printed = printer_of(answer.DESCRIPTOR)(answer)
    # Names, order, values: all is the same but how a character or an exponent is written.
    assert json.loads(got.content, object_pairs_hook=list) == json.loads(
        printed, object_pairs_hook=list
    )
    if "e" not in f"{float(quantity):.15g}" and words.isascii():
        assert got.content == printed
