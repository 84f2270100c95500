"""What the matrix of tenants asks with: furnished callers, one request over either transport."""

from __future__ import annotations

__all__ = ["RESTING", "Answer", "Tenant", "ask", "furnished", "request_of"]

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
import requests
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from server.contract import strict
from server.contract.catalog import Method, load
from server.contract.examples import load_examples
from tests.rest_call import address, call
from tests.stack import Gateway

Answer = tuple[object, ...]
"""Status first, then whatever else a caller can see."""
Request = dict[str, Any]
"""`path`, `query` and `body`."""
PATIENCE_S = 60

BODIES: Mapping[str, Any] = {
    "ReplaceOrder": {"price": -1.05},
    "ManageWatchlist": {"action": "remove", "symbols": [{"symbol": "AAPL"}], "name": "mine"},
    "Chat": {"message": "What are my balances?"},
    "StreamChat": {"message": "What are my balances?"},
}
"""Where the example of the documents is not the request to start from."""

RESTING = {"legs": [{"symbol": "SPY", "action": "Buy", "quantity": 1}], "price": -1.00}
OTO = {
    "type": "OTO",
    "trigger_order": RESTING,
    "orders": [
        {"legs": [{"symbol": "SPY", "action": "Sell to Close", "quantity": 1}], "price": 9000.00}
    ],
}


@dataclass(slots=True)
class Tenant:
    """A caller with one thing of every kind."""

    key: str
    gateway: Gateway
    http: requests.Session
    ids: dict[str, str]

    def ask(self, name: str, **request: Any) -> Any:
        method = load().named(name)
        answer = call(self.http, self.gateway.url, method, key=self.key, **request)
        assert answer.status_code == 200, f"{name}: {answer.text}"
        return answer.json()

    def own(self, kind: str, method: Method) -> str:
        """Returns the name of something of this tenant that the method would take."""
        if kind == "page_token":
            query = {"account_id": self.ids["account_id"], "page_size": 1}
            token: str = self.ask(method.name, query=query)["next_page_token"]
            return token
        if kind == "code":  # it lives for two minutes only
            wish = {"message": "Buy 1 share of AAPL at 1.00", "account_id": self.ids["account_id"]}
            code: str = self.ask("Chat", body=wish)["tickets"][0]["code"]
            return code
        return self.ids[kind]


def furnished(tenant: Tenant) -> Tenant:
    """Gives a tenant one thing of every kind, so that there is something to be seen."""
    secrets = {"client_secret": f"{tenant.key}-s", "refresh_token": f"{tenant.key}-t"}
    tenant.ask("SaveCredentials", body={"api_key": tenant.key, **secrets})
    balances = load().named("GetBalances")
    nobody = {"account_id": "none"}
    refused = call(tenant.http, tenant.gateway.url, balances, key=tenant.key, query=nobody)
    account = refused.json()["detail"].partition("['")[2].partition("'")[0]
    mine = {"account_id": account}
    tenant.ids |= mine
    tenant.ids["name"] = f"list of {tenant.key}"
    entry = {"action": "add", "symbols": [{"symbol": "AAPL"}], "name": tenant.ids["name"]}
    tenant.ask("ManageWatchlist", body=entry)
    tenant.ids["order_id"] = tenant.ask("PlaceOrder", query=mine, body=RESTING)["id"]
    whole = tenant.ask("PlaceComplexOrder", query=mine, body=OTO)
    tenant.ids["complex_order_id"] = whole["id"]
    tenant.ids["cursor"] = _first_cursor(tenant)
    assert all(tenant.ids.values()), tenant.ids
    return tenant


def _first_cursor(tenant: Tenant) -> str:
    url = f"{tenant.gateway.url}/api/v1/stream/account-events"
    query = {"account_id": tenant.ids["account_id"]}
    key = {"X-API-Key": tenant.key}
    with tenant.http.get(url, params=query, headers=key, stream=True, timeout=PATIENCE_S) as got:
        event: str = next(line for line in got.iter_lines(decode_unicode=True) if line)
    cursor: str = json.loads(event.removeprefix("data: "))["notice"]["cursor"]
    return cursor


def request_of(
    tenant: Tenant, method: Method, name: str, identifier: str, is_id: Callable[[str], bool]
) -> Request:
    """Returns a request with the caller's own in it, but for the field `name`."""
    assert method.http is not None
    example = load_examples().get(method.name, {})
    values = {
        field.name: identifier if field.name == name else tenant.own(field.name, method)
        for field in method.request.fields
        if is_id(field.name) and (field.name == name or _needed(field))
    }
    path = {each: values[each] for each in method.http.path_variables}
    query = {each: value for each, value in values.items() if each not in path}
    if not method.http.body:
        return {"path": path, "query": query}
    body = dict(BODIES.get(method.name, example.get("body", {})))
    if method.http.body == "*":
        return {"path": path, "query": {}, "body": body | query}
    if name not in values:
        body[name] = identifier
    return {"path": path, "query": query, "body": body}


def _needed(field: FieldDescriptor) -> bool:
    return field.name in ("account_id", "order_id", "complex_order_id") and not field.has_presence


def ask(
    transport: str, channel: grpc.Channel, tenant: Tenant, method: Method, request: Request
) -> Answer:
    """Sends the request over "rest" or "grpc"; of a stream the first message is the answer."""
    if transport == "rest":
        return _over_rest(tenant, method, request)
    return _over_grpc(channel, tenant, method, request)


def _over_rest(tenant: Tenant, method: Method, request: Request) -> Answer:
    assert method.http is not None
    with requests.Session() as http:
        key = {"X-API-Key": tenant.key}
        url = tenant.gateway.url
        if not method.server_streaming:
            answer = call(http, url, method, key=tenant.key, timeout=PATIENCE_S, **request)
            return answer.status_code, sorted(answer.headers), answer.text
        with http.request(
            method.http.verb,
            url + address(method, request["path"], request["query"]),
            json=request.get("body"),
            headers=key,
            stream=True,
            timeout=PATIENCE_S,
        ) as got:
            if got.status_code != 200:
                return got.status_code, sorted(got.headers), got.text
            return 200, sorted(got.headers), next(iter(got.iter_lines(decode_unicode=True)), "")


def _over_grpc(channel: grpc.Channel, tenant: Tenant, method: Method, request: Request) -> Answer:
    message = _message_of(method, request)
    shape = "unary_stream" if method.server_streaming else "unary_unary"
    response = GetMessageClass(method.response)
    rpc = getattr(channel, shape)(
        method.path,
        request_serializer=type(message).SerializeToString,
        response_deserializer=response.FromString,
    )
    metadata = [("x-api-key", tenant.key)]
    try:
        if not method.server_streaming:
            return "OK", str(rpc(message, metadata=metadata, timeout=PATIENCE_S))
        stream = rpc(message, metadata=metadata, timeout=PATIENCE_S)
        first = str(next(stream, ""))
        stream.cancel()
    except grpc.RpcError as error:
        details = dict(error.trailing_metadata()).get("grpc-status-details-bin", b"")
        return error.code().name, error.details(), details.decode("latin-1")
    return "OK", first


def _message_of(method: Method, request: Request) -> Message:
    assert method.http is not None
    message: Message = GetMessageClass(method.request)()
    plain = {**request["path"], **request["query"]}
    if method.http.body == "*":
        plain |= request["body"]
    elif method.http.body:
        strict.read(json.dumps(request["body"]).encode(), getattr(message, method.http.body))
    return json_format.ParseDict(plain, message)
