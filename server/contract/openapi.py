"""Writes the OpenAPI document of the REST face from the contract.

A generator of our own, because those that are kept well (gnostic's, grpc-gateway's) are Go programs
that no Python registry carries, and neither knows our strict bodies, error shape and event streams.
"""

from __future__ import annotations

__all__ = ["document"]

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor

from server.contract.catalog import Contract, Method
from server.contract.error_samples import samples
from server.contract.openapi_operation import Operation, reference, tag_of
from server.contract.schema import TIMESTAMP, Direction, Schema, Schemas

Examples = Mapping[str, Mapping[str, Any]]

ABOUT = """\
One contract in front of a tastytrade account. The same rpcs are served as gRPC and gRPC-Web on the
same port, under the package `tasty.v1`.

* **With the simulated broker** the API key `demo-key` and the account `5WT00001` are there from the
  start. With a real one, register your credentials under a key of your own first:
  `POST /api/v1/credentials`.
* An error of any route is `{"detail": "..."}`: a sentence that says what is wrong and what to do.
* Requests of one API key beyond 2 in a second wait in a queue, in their order.
* Streams are server-sent events: `curl -N`, or `EventSource` with a polyfill that sends headers."""
MESSAGES = {
    400: "Something in the request cannot be right; the sentence says what to change.",
    401: "No API key, an unknown one, or credentials that the broker no longer accepts.",
    403: "The caller is known, but this is not theirs to do.",
    404: "What the request names does not exist for this tenant.",
    409: "The same client_order_id was used for another order, or its order is on its way.",
    413: "The body is too large.",
    429: "Too many requests of this API key wait already, or the turn would come too late.",
    500: "A fault of the server. The sentence holds the id under which it was logged.",
    501: "In the contract, but not built into this server.",
    503: "The broker, its feed or this server cannot serve at the moment. Try again.",
    504: "The answer did not come within the time that was allowed.",
}


def document(contract: Contract, *, version: str, examples: Examples) -> Schema:
    """Answers the document. `examples` holds what `load_examples` reads, by the name of an rpc."""
    methods = [method for method in contract.methods if method.http is not None]
    paths: Schema = {}

    for method in methods:
        assert method.http is not None  # noqa: S101 - filtered above
        operation = Operation(contract, method, method.http, examples.get(method.name, {}))
        paths.setdefault(method.http.path, {})[method.http.verb] = operation.describe()

    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tasty gateway",
            "version": version,
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "This gateway"}],
        "tags": [
            {"name": tag_of(service), "description": contract.comment(service)}
            for service in dict.fromkeys(method.service for method in methods)
        ],
        "paths": paths,
        "components": {
            "schemas": {**_components(contract, methods), "Error": _error_schema()},
            "responses": {f"Error{status}": _error(contract, status) for status in MESSAGES},
            "securitySchemes": {
                "ApiKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-API-Key",
                    "description": "The key of a tenant, registered with POST /api/v1/credentials.",
                },
                "AdminKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Admin-Key",
                    "description": "The administrator's key, where the server has one.",
                },
            },
        },
    }


def _components(contract: Contract, methods: list[Method]) -> Schema:
    """Describes every message that is reached, sent ones first where a message goes both ways."""
    requests: dict[str, Descriptor] = {}
    responses: dict[str, Descriptor] = {}
    strict: set[str] = set()

    for method in methods:
        assert method.http is not None  # noqa: S101 - the caller has filtered
        answer = method.response

        if method.http.response_body:
            answer = answer.fields_by_name[method.http.response_body].message_type or answer

        _reach(answer, responses)

        if not method.http.body:
            continue

        if method.http.body == "*":
            _reach(method.request, requests)
            continue

        body = method.request.fields_by_name[method.http.body].message_type

        if body is not None:
            reached: dict[str, Descriptor] = {}
            _reach(body, reached)
            requests |= reached
            strict |= reached.keys() if method.strict else set()

    described: Schema = {}

    for name, message in {**requests, **responses}.items():
        both = name in requests and name in responses
        direction = Direction.REQUEST if name in requests else Direction.RESPONSE
        schemas = Schemas(
            contract,
            direction,
            refer=reference,
            strict=name in strict,
            closed=name in requests,
            nullable=not both,
        )
        described[message.name] = schemas.message(message)

    return dict(sorted(described.items()))


def _reach(message: Descriptor, found: dict[str, Descriptor]) -> None:
    if message.full_name in found or message.full_name == TIMESTAMP:
        return

    if not message.GetOptions().map_entry:
        found[message.full_name] = message

    for field in message.fields:
        if field.message_type is not None:
            _reach(field.message_type, found)


def _error_schema() -> Schema:
    return {
        "type": "object",
        "description": "What went wrong, for every status but 200.",
        "properties": {
            "detail": {
                "type": "string",
                "description": "A sentence that says what is wrong and what to do.",
            }
        },
        "required": ["detail"],
    }


def _error(contract: Contract, status: int) -> Schema:
    content: Schema = {"schema": {"$ref": "#/components/schemas/Error"}}
    found = {
        sample.reason: {"value": {"detail": sample.sentence}}
        for sample in samples(contract)
        if sample.status == status
    }

    if found:
        content["examples"] = found

    return {"description": MESSAGES[status], "content": {"application/json": content}}
