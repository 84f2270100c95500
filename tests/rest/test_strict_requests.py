"""What is not exactly right never reaches an order: bodies, queries and paths read strictly."""

from __future__ import annotations

import grpc
import pytest
import requests
from tasty.v1 import order_service_pb2 as pb

from tests.stack import Gateway

KEY = {"X-API-Key": Gateway.api_key}
ACCOUNT = Gateway.account
BODY = '{"legs": [{"symbol": "SPY", "action": "Buy", "quantity": 1}], "price": -1, "dry_run": true'


def refusal(answer: requests.Response) -> str:
    assert answer.status_code == 400, (answer.status_code, answer.text)
    assert list(answer.json()) == ["detail"]
    return str(answer.json()["detail"])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (BODY + ', "dry_rum": true}', "Unknown field 'dry_rum'"),
        (BODY + ', "price": -2}', "the key 'price' is there twice"),
        (BODY + ', "timeInForce": "Day"}', "Unknown field 'timeInForce'"),
        (BODY.replace("-1", '"NaN"') + "}", "Invalid price 'NaN'"),
        (BODY.replace("-1", "1e400") + "}", "Invalid price '1e400'"),
        (BODY.replace("true", '"true"') + "}", "Invalid dry_run"),
        (BODY.replace('"quantity": 1', '"quantity": "1"') + "}", "Invalid legs[0].quantity"),
        ("", "Invalid request body: it is empty"),
        ("[]", "Invalid request body: expected a JSON object"),
        (BODY, "Invalid request body: it is no JSON"),
    ],
)
def test_a_body_that_is_not_exactly_right_is_refused(
    gateway: Gateway, http: requests.Session, body: str, words: str
) -> None:
    url = f"{gateway.url}/api/v1/place-order?account_id={ACCOUNT}"
    assert words in refusal(http.post(url, data=body, headers=KEY))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/orders/1?account_id={account}&order_id=2"),
        ("DELETE", "/orders/1?account_id={account}&order_id=2"),
        ("DELETE", "/orders/1?account_id={account}&orderId=2"),
        ("POST", "/replace-order/1?account_id={account}&order_id=2"),
        ("DELETE", "/complex-orders/1?account_id={account}&complex_order_id=2"),
        ("DELETE", "/watchlists/private/a?name=b"),
        ("DELETE", "/credentials/a-long-key?api_key=b"),
    ],
)
def test_the_path_alone_says_what_is_acted_on(
    gateway: Gateway, http: requests.Session, method: str, path: str
) -> None:
    url = f"{gateway.url}/api/v1{path.format(account=ACCOUNT)}"
    body = '{"price": -1}' if method == "POST" else None
    words = refusal(http.request(method, url, data=body, headers=KEY))
    assert "in the path only, not in the query" in words


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/place-order?account_id={account}&dry_run=true", "Unknown field 'dry_run'"),
        ("/place-order?account_id={account}&account_id=5WT00002", "given twice"),
        ("/place-order?account_id={account}&accountId=5WT00002", "Unknown field 'accountId'"),
    ],
)
def test_queries_of_order_routes_hold_nothing_else(
    gateway: Gateway, http: requests.Session, path: str, words: str
) -> None:
    url = f"{gateway.url}/api/v1{path.format(account=ACCOUNT)}"
    assert words in refusal(http.post(url, data=BODY + "}", headers=KEY))


def test_elsewhere_an_unknown_query_is_ignored(gateway: Gateway, http: requests.Session) -> None:
    url = f"{gateway.url}/api/v1/live-orders?account_id={ACCOUNT}&cache=no"
    assert http.get(url, headers=KEY).status_code == 200


def test_a_native_call_with_an_unknown_field_is_refused(gateway: Gateway) -> None:
    request = pb.GetOrderRequest(account_id=ACCOUNT, order_id="1").SerializeToString()
    unknown = b"\x98\x06\x01"  # field 99, a number
    with grpc.insecure_channel(gateway.grpc_target) as channel:
        path = "/tasty.v1.OrderService/GetOrder"
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary(path)(request + unknown, metadata=(("x-api-key", "demo-key"),))

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "field number 99 is not known" in refused.value.details()


@pytest.mark.parametrize(
    "path",
    [
        "/credentials?api_key=a-key-in-a-url&client_secret=s3cret&refresh_token=t0ken",
        "/credentials?client_secret=s3cret",
        "/credentials?clientSecret=s3cret",
        "/chat?message=s3cret",
        "/chat/stream?message=s3cret",
        "/watchlists/private/manage?action=s3cret",
    ],
)
def test_where_the_body_says_everything_the_query_says_nothing(
    gateway: Gateway, http: requests.Session, path: str
) -> None:
    """Its sender would believe in what nobody reads, and a secret would be in a URL."""
    body = {"api_key": "a-key-in-a-body", "client_secret": "other", "refresh_token": "other"}
    if "credentials" not in path:
        body = {"message": "hello"} if "chat" in path else {"action": "add"}

    said = refusal(http.post(f"{gateway.url}/api/v1{path}", json=body, headers=KEY))
    assert said.startswith("Unknown field '")
    assert "s3cret" not in said
