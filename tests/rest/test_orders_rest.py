"""Orders over REST, through the edge: the guide's calls, names in headers, events as SSE."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import requests
from google.protobuf.json_format import MessageToDict
from tasty.v1 import new_order_pb2
from tasty.v1 import order_placement_pb2 as pb

from tests.stack import Gateway

KEY = {"X-API-Key": Gateway.api_key}
ACCOUNT = Gateway.account
ORDER: dict[str, Any] = {
    "legs": [{"symbol": "KO", "action": "Buy to Open", "quantity": 1}],
    "price": -1.00,
    "time_in_force": "Day",
    "dry_run": False,
}


def place(
    gateway: Gateway, body: dict[str, Any], headers: dict[str, str] | None = None
) -> requests.Response:
    url = f"{gateway.url}/api/v1/place-order?account_id={ACCOUNT}"
    return requests.post(url, json=body, headers=KEY | (headers or {}), timeout=30)


def test_the_guides_calls_from_placing_to_cancelling(
    gateway: Gateway, http: requests.Session
) -> None:
    placed = place(gateway, ORDER)
    assert placed.status_code == 200, placed.text
    order_id = placed.json()["id"]
    assert list(placed.json())[:3] == ["id", "status", "fills"]

    url = f"{gateway.url}/api/v1/orders/{order_id}?account_id={ACCOUNT}"
    assert http.get(url, headers=KEY).json()["order"]["price"] == "-1.00"

    change = f"{gateway.url}/api/v1/replace-order/{order_id}?account_id={ACCOUNT}"
    replaced = http.post(change, json={"price": -1.50}, headers=KEY)
    assert replaced.status_code == 200, replaced.text
    assert replaced.json()["replaced_order_id"] == order_id

    new = replaced.json()["id"]
    url = f"{gateway.url}/api/v1/orders/{new}?account_id={ACCOUNT}"
    cancelled = http.delete(url, headers=KEY)
    assert cancelled.status_code == 200, cancelled.text
    assert cancelled.json()["success"] is True
    assert cancelled.json()["order_id"] == new


def test_the_price_of_a_replacement_may_stand_in_the_query(
    gateway: Gateway, http: requests.Session
) -> None:
    order_id = place(gateway, ORDER).json()["id"]
    url = f"{gateway.url}/api/v1/replace-order/{order_id}?account_id={ACCOUNT}&price=-1.25"
    replaced = http.post(url, headers=KEY)
    assert replaced.status_code == 200, replaced.text
    assert replaced.json()["price"] == "-1.25"
    both = http.post(url, json={"price": -1.30}, headers=KEY)
    assert both.status_code == 400


def test_a_null_price_is_made_of_quotes(gateway: Gateway) -> None:
    checked = place(gateway, ORDER | {"price": None, "dry_run": True})
    assert checked.status_code == 200, checked.text
    assert checked.json()["price_source"] == "mid"
    assert len(checked.json()["pricing"]["quotes"]) == 1


def test_a_header_names_an_order_and_the_repeat_says_so(gateway: Gateway) -> None:
    name = {"Idempotency-Key": "rest-header-1"}
    first, again = place(gateway, ORDER, name), place(gateway, ORDER, name)
    assert first.content == again.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"

    other = place(gateway, ORDER | {"price": -2.00}, name)
    assert other.status_code == 409
    assert list(other.json()) == ["detail"]


def test_rest_and_grpc_callers_with_one_name_get_one_order(gateway: Gateway) -> None:
    before = orders_at_broker(gateway)
    names = [f"mixed-{number}" for number in range(8)]
    with (
        grpc.insecure_channel(gateway.target) as channel,
        ThreadPoolExecutor(16) as pool,
    ):
        natively = channel.unary_unary(
            "/tasty.v1.OrderService/PlaceOrder",
            request_serializer=pb.PlaceOrderRequest.SerializeToString,
            response_deserializer=pb.PlaceOrderResponse.FromString,
        )

        def by_grpc(name: str) -> str:
            leg = new_order_pb2.NewOrderLeg(symbol="KO", action="Buy to Open", quantity=1)
            order = new_order_pb2.NewOrder(
                legs=[leg], price="-1.00", time_in_force="Day", dry_run=False, client_order_id=name
            )
            request = pb.PlaceOrderRequest(account_id=ACCOUNT, order=order)
            answer = natively(request, metadata=(("x-api-key", Gateway.api_key),), timeout=30)
            return str(MessageToDict(answer, preserving_proto_field_name=True)["id"])

        def by_rest(name: str) -> str:
            answer = place(gateway, ORDER | {"client_order_id": name})
            assert answer.status_code == 200, answer.text
            return str(answer.json()["id"])

        calls = {
            name: [pool.submit(way, name) for way in (by_grpc, by_rest, by_grpc, by_rest)]
            for name in names
        }
        for name in names:
            assert len({call.result() for call in calls[name]}) == 1

    assert orders_at_broker(gateway) == before + len(names)


def test_events_come_as_sse_with_their_cursors(gateway: Gateway) -> None:
    url = f"{gateway.url}/api/v1/stream/account-events?account_id={ACCOUNT}"
    with requests.get(url, headers=KEY, stream=True, timeout=30) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        messages = events_of(stream)
        first = next(messages)
        assert first["kind"] == "STREAM_EVENT_KIND_ACKNOWLEDGEMENT"
        assert first["notice"]["cursor"]
        placed = place(gateway, ORDER).json()["id"]
        heard = next(
            event
            for message in messages
            for event in message["events"]
            if event.get("order") and event["order"]["id"] == placed
        )
    assert heard["type"] == "ACCOUNT_EVENT_TYPE_ORDER"

    after = f"{url}&cursor={first['notice']['cursor']}"
    with requests.get(after, headers=KEY, stream=True, timeout=30) as on:
        resumed = next(
            event
            for message in events_of(on)
            for event in message["events"]
            if event.get("order") and event["order"]["id"] == placed
        )
    assert resumed["cursor"] == heard["cursor"]

    gone = requests.get(f"{url}&cursor=1.ffffffff", headers=KEY, timeout=30)
    assert gone.status_code == 404
    assert "No events are kept" in gone.json()["detail"]


def events_of(stream: requests.Response) -> Any:
    for line in stream.iter_lines():
        if line.startswith(b"data:"):
            yield json.loads(line[5:])


def orders_at_broker(gateway: Gateway) -> int:
    page = requests.get(f"{gateway.simulator_url}/_admin/exchange/statistics", timeout=10)
    return int(page.json()["orders"])
