"""Nothing at the edge sends an order twice: not by itself, and not because a client asks for it."""

from __future__ import annotations

import grpc
import pytest
import requests

from tests.stack import Edge

ASKING = {
    "x-envoy-retry-on": "5xx,reset,connect-failure,retriable-4xx,gateway-error,refused-stream",
    "x-envoy-retry-grpc-on": "unavailable,internal,cancelled,deadline-exceeded,resource-exhausted",
    "x-envoy-max-retries": "5",
    "x-envoy-hedge-on-per-try-timeout": "true",
    "x-envoy-upstream-rq-per-try-timeout-ms": "50",
}
"""Headers by which Envoy lets its own clients ask for retries."""

ROUTES = (
    ("POST", "/api/v1/place-order", "/tasty.v1.OrderService/PlaceOrder"),
    ("POST", "/api/v1/replace-order/1", "/tasty.v1.OrderService/ReplaceOrder"),
    ("DELETE", "/api/v1/orders/1", "/tasty.v1.OrderService/CancelOrder"),
    ("POST", "/api/v1/place-complex-order", "/tasty.v1.OrderService/PlaceComplexOrder"),
)
FAILURES = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.CANCELLED)


@pytest.mark.parametrize(("method", "path", "rpc"), ROUTES)
@pytest.mark.parametrize("asking", [{}, ASKING], ids=["by itself", "asked to"])
def test_a_failed_change_is_not_sent_again(
    edge: Edge, http: requests.Session, method: str, path: str, rpc: str, asking: dict[str, str]
) -> None:
    for failure in FAILURES:
        edge.backend.calls.clear()
        edge.backend.answers[rpc] = lambda _request, context, failure=failure: context.abort(
            failure, "failed"
        )
        body = b"{}" if method == "POST" else None
        answer = http.request(
            method, f"{edge.url}{path}?account_id=5WT00001", data=body, headers=asking, timeout=10
        )
        assert answer.status_code >= 400
        assert [call.method for call in edge.backend.calls] == [rpc]
