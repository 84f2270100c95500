"""Describes one rpc as an operation of the OpenAPI document: parameters, body and answers.

A stream is described as a text of server-sent events, for OpenAPI 3.1 has no better word; what each
event holds stands in `x-item-schema`.
"""

from __future__ import annotations

__all__ = ["Operation", "reference", "tag_of"]

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from server.contract.catalog import Authentication, Contract, HttpRule, Method, is_required
from server.contract.schema import Direction, Schema, Schemas

_SECURITY: Mapping[Authentication, list[Schema]] = {
    Authentication.KEY: [{"ApiKey": []}],
    Authentication.KEY_OR_ADMIN: [{"ApiKey": []}, {"AdminKey": []}],
    Authentication.NONE: [{}, {"AdminKey": []}],
}


class Operation:
    """Describes one rpc as an operation."""

    def __init__(
        self, contract: Contract, method: Method, http: HttpRule, example: Mapping[str, Any]
    ) -> None:
        self._contract = contract
        self._method = method
        self._http = http
        self._example = example
        self._schemas = Schemas(contract, Direction.REQUEST, refer=reference)

    def describe(self) -> Schema:
        method = self._method
        operation: Schema = {
            "operationId": method.name,
            "summary": method.title,
            "description": method.comment,
            "tags": [tag_of(method.service)],
            "security": _SECURITY[method.authentication],
            "x-grpc": method.path,
        }

        if parameters := list(self._parameters()):
            operation["parameters"] = parameters

        if self._http.body:
            operation["requestBody"] = self._body()

        answers: Schema = {"200": self._answer()}
        answers |= {
            str(status): {"$ref": f"#/components/responses/Error{status}"}
            for status in self._statuses()
        }
        operation["responses"] = answers
        return operation

    def _parameters(self) -> Iterator[Schema]:
        fields = self._method.request.fields_by_name

        for name in self._http.path_variables:
            yield self._parameter(fields[name], "path")

        for field in self._method.query_fields:
            yield self._parameter(field, "query")

        if (named := self._client_order_id()) is not None:
            schema = Schemas(self._contract, Direction.REQUEST, nullable=False).item(named)
            yield {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The same as client_order_id in the body.",
                "schema": schema,
            }

    def _parameter(self, field: FieldDescriptor, place: str) -> Schema:
        schema = Schemas(self._contract, Direction.REQUEST, nullable=False).field(field)
        description = schema.pop("description")
        parameter: Schema = {
            "name": field.name,
            "in": place,
            "required": place == "path" or is_required(field),
            "description": description,
            "schema": schema,
        }

        if field.is_repeated:
            parameter |= {"style": "form", "explode": True}

        if field.name in (shown := self._example.get(place, {})):
            parameter["example"] = shown[field.name]

        return parameter

    def _body(self) -> Schema:
        request = self._method.request

        if self._http.body == "*":
            inner = [
                field for field in request.fields if field.name not in self._http.path_variables
            ]
            whole = len(inner) == len(request.fields)
            schema = reference(request) if whole else self._schemas.object_of(request, inner)
            return self._content(schema, required=True)

        field = request.fields_by_name[self._http.body]
        schema = self._schemas.field(field)
        schema.pop("examples", None)
        description = schema.pop("description", "")
        schema = schema["anyOf"][0] if "anyOf" in schema else schema
        body = self._content(schema, required=is_required(field))
        return {"description": description, **body}

    def _content(self, schema: Schema, *, required: bool) -> Schema:
        content: Schema = {"schema": schema}

        if "body" in self._example:
            content["example"] = self._example["body"]

        return {"required": required, "content": {"application/json": content}}

    def _answer(self) -> Schema:
        response = self._method.response
        description = self._contract.comment(response.full_name)

        if self._method.server_streaming:
            return {
                "description": f"{description} A stream of server-sent events, one message each.",
                "content": {
                    "text/event-stream": {
                        "schema": {"type": "string"},
                        "x-item-schema": reference(response),
                    }
                },
            }

        content: Schema = {"schema": reference(response)}

        if self._http.response_body:
            field = response.fields_by_name[self._http.response_body]
            described = Schemas(self._contract, Direction.RESPONSE, refer=reference).field(field)
            content = {"schema": described}

        if "reply" in self._example:
            content["example"] = self._example["reply"]

        return {"description": description, "content": {"application/json": content}}

    def _statuses(self) -> Iterator[int]:
        yield 400

        if self._method.needs_key:
            yield 401

        if self._method.needs_key or self._method.request.fields:
            yield 403
            yield 404

        if self._client_order_id() is not None:
            yield 409

        if self._http.body:
            yield 413

        if self._method.needs_key:
            yield 429

        yield from (500, 501, 503, 504)

    def _client_order_id(self) -> FieldDescriptor | None:
        """Finds the field that the header Idempotency-Key stands for."""
        if not self._method.strict or self._http.body in ("", "*"):
            return None

        body = self._method.request.fields_by_name[self._http.body].message_type
        return None if body is None else body.fields_by_name.get("client_order_id")


def reference(message: Descriptor) -> Schema:
    """Refers to the schema of a message."""
    return {"$ref": f"#/components/schemas/{message.name}"}


def tag_of(service: str) -> str:
    """Answers the tag of a service: its name without the word that they all end in."""
    return service.rpartition(".")[2].removesuffix("Service")
