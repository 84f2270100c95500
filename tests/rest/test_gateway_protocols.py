"""The same calls over every protocol, through the whole gateway and directly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
import requests
from google.protobuf.json_format import MessageToDict
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tasty.v1 import (
    account_service_pb2,
    account_service_pb2_grpc,
    market_data_service_pb2,
    market_data_service_pb2_grpc,
    market_data_stream_pb2,
    reference_service_pb2,
    reference_service_pb2_grpc,
    system_service_pb2,
    system_service_pb2_grpc,
)

from tests.stack import Gateway

KEY = {"X-API-Key": Gateway.api_key}
METADATA = [("x-api-key", Gateway.api_key)]


@pytest.fixture(params=["through the edge", "directly"])
def channel(request: pytest.FixtureRequest, gateway: Gateway) -> Iterator[grpc.Channel]:
    target = gateway.target if request.param == "through the edge" else gateway.grpc_target
    unlimited = [("grpc.max_receive_message_length", -1)]  # an index chain has 4 MB
    with grpc.insecure_channel(target, options=unlimited) as channel:
        yield channel


def test_health_without_a_key(channel: grpc.Channel) -> None:
    answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    stub = system_service_pb2_grpc.SystemServiceStub(channel)
    assert stub.GetHealth(system_service_pb2.GetHealthRequest()).status == "healthy"


def test_reflection_names_every_service(channel: grpc.Channel) -> None:
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    (answer,) = stub.ServerReflectionInfo(iter([asked]))
    names = {service.name for service in answer.list_services_response.service}
    assert {"tasty.v1.SystemService", "tasty.v1.OrderService", "grpc.health.v1.Health"} <= names


def test_grpc_and_rest_say_the_same(
    gateway: Gateway, channel: grpc.Channel, http: requests.Session
) -> None:
    stub = account_service_pb2_grpc.AccountServiceStub(channel)
    request = account_service_pb2.GetBalancesRequest(account_id=gateway.account)
    over_grpc = stub.GetBalances(request, metadata=METADATA)
    url = f"{gateway.url}/api/v1/balances?account_id={gateway.account}"
    over_rest = http.get(url, headers=KEY).json()
    assert over_grpc.cash == over_rest["cash"]
    # The rest moves with the market; that all of it is there, by its own name, is what counts.
    assert {field.name for field in over_grpc.DESCRIPTOR.fields} >= set(over_rest)
    assert {field.name for field, _ in over_grpc.ListFields()} <= set(over_rest)


@pytest.mark.parametrize(
    "wanted",
    [
        {"symbol": "DIS"},
        {"symbol": "SPX", "all_options": False, "max_dte": 7},
        {"symbol": "BRK/B", "option_type": "P", "min_dte": 30},
        {"symbol": "/ESZ6", "min_strike": 5000.0, "max_strike": 5050.0},
        {"symbol": "VIX", "min_strike": 10.5, "max_strike": 10.5},
        {"symbol": "SPY", "min_strike": 99_999.0},
    ],
    ids=lambda wanted: "-".join(map(str, wanted.values())).replace("/", ""),
)
def test_grpc_and_rest_say_the_same_chain(
    gateway: Gateway, channel: grpc.Channel, http: requests.Session, wanted: dict[str, Any]
) -> None:
    """Over REST it is printed by the server, over gRPC it is a message: two ways, one content."""
    if wanted["symbol"].startswith("/"):  # the front month moves on
        url = f"{gateway.url}/api/v1/search-symbols?symbol=%2FES"
        found = http.get(url, headers=KEY).json()["results"]
        wanted = {**wanted, "symbol": min(each["symbol"] for each in found if each["options"])}
    stub = reference_service_pb2_grpc.ReferenceServiceStub(channel)
    request = reference_service_pb2.GetOptionChainRequest(**wanted)
    over_grpc = MessageToDict(
        stub.GetOptionChain(request, metadata=METADATA),
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
    asked = {
        name: str(value).lower() if value is False else value for name, value in wanted.items()
    }
    answer = http.get(f"{gateway.url}/api/v1/option-chain", params=asked, headers=KEY)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == over_grpc
    assert list(answer.json()["chain"]) == answer.json()["expiration_dates"]


@pytest.mark.parametrize("analyze", [None, False])
def test_grpc_and_rest_say_the_same_quotes(
    gateway: Gateway, channel: grpc.Channel, http: requests.Session, analyze: bool | None
) -> None:
    """A native caller gets the message, also where REST gets JSON that was printed without it."""
    stub = market_data_service_pb2_grpc.MarketDataServiceStub(channel)
    symbols = [{"symbol": symbol} for symbol in ("SPY", "VIX", "NOPE")]
    request = market_data_service_pb2.GetQuotesRequest(instruments=symbols, analyze=False)
    query = {} if analyze is None else {"analyze": "false"}
    for _ in range(50):  # until no quote has come between the two calls
        over_rest = http.post(
            f"{gateway.url}/api/v1/quotes", params=query, json=symbols, headers=KEY
        )
        answer = stub.GetQuotes(request, metadata=METADATA)
        over_grpc = MessageToDict(
            answer, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
        printed = over_rest.json()
        assert list(printed) == [field.name for field in answer.DESCRIPTOR.fields]
        if printed["quotes"] == over_grpc["quotes"]:
            break
    assert printed["quotes"] == over_grpc["quotes"]
    assert printed["table"] == over_grpc["table"]
    assert printed["errors"] == over_grpc["errors"]


def test_an_error_has_status_and_words(channel: grpc.Channel) -> None:
    stub = account_service_pb2_grpc.AccountServiceStub(channel)
    with pytest.raises(grpc.RpcError) as refused:
        stub.GetBalances(account_service_pb2.GetBalancesRequest(account_id="1"), metadata=METADATA)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert refused.value.details().startswith("Account '1' not found.")
    assert "grpc-status-details-bin" in dict(refused.value.trailing_metadata())


def test_a_stream(gateway: Gateway, channel: grpc.Channel, http: requests.Session) -> None:
    stub = market_data_service_pb2_grpc.MarketDataServiceStub(channel)
    request = market_data_stream_pb2.StreamQuotesRequest(symbols=["SPY"])
    stream = stub.StreamQuotes(request, metadata=METADATA, timeout=10)
    assert any(quote.event_symbol == "SPY" for answer in stream for quote in answer.quotes)
    stream.cancel()
    url = f"{gateway.url}/api/v1/stream/quotes?symbols=SPY"
    with http.get(url, headers=KEY, stream=True, timeout=10) as events:
        assert events.headers["content-type"] == "text/event-stream"
        for line in events.iter_lines(chunk_size=1):
            if line.startswith(b"data: ") and json.loads(line[6:]).get("quotes"):
                break
        else:
            pytest.fail("no quote came")


def test_metrics_are_served(gateway: Gateway, http: requests.Session) -> None:
    assert http.get(f"{gateway.metrics_url}/metrics").status_code == 200


def test_the_admin_port_tells_two_things_and_changes_nothing(
    gateway: Gateway, http: requests.Session
) -> None:
    assert http.get(f"{gateway.admin_url}/ready").text == "LIVE\n"
    scraped = http.get(f"{gateway.admin_url}/stats/prometheus?usedonly")
    assert "envoy_http_downstream_cx_active" in scraped.text
    for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
        for path in ("ready", "stats/prometheus"):
            assert http.request(method, f"{gateway.admin_url}/{path}").status_code == 405

    for path in (
        "",
        "drain_listeners",
        "drain_listeners?graceful&skip_exit",
        "listeners",
        "stats",
        "stats/prometheus/../../drain_listeners",
        "ready%2F..%2Fdrain_listeners",
        "quitquitquit",
        "healthcheck/fail",
        "config_dump",
        "logging?level=trace",
        "runtime_modify",
        "cpuprofiler",
    ):
        for method in ("GET", "POST"):
            prepared = http.prepare_request(requests.Request(method, gateway.admin_url))
            prepared.url = f"{gateway.admin_url}/{path}"  # as it is, not normalised
            assert http.send(prepared).status_code == 404, path

    assert http.get(f"{gateway.url}/health").status_code == 200


def test_only_the_owner_reaches_the_admin_pages(gateway: Gateway) -> None:
    folder = gateway.data_dir / "edge"
    assert (folder / "admin.sock").is_socket()
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "admin.sock").stat().st_mode & 0o077 == 0
