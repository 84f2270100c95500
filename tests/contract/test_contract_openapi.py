"""The OpenAPI document has every route, whole, and is a valid document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis

from server.contract.catalog import Contract
from server.contract.examples import load_examples
from server.contract.protos import ROOT


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((Path(ROOT) / "gen" / "openapi.json").read_text())
    return content


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        operation["operationId"]: operation
        for verbs in document["paths"].values()
        for operation in verbs.values()
    }


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that can stand alone, with the components below it."""
    return {**schema, "components": document["components"]}


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]

        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_route_is_an_operation(document: dict[str, Any], contract: Contract) -> None:
    routes = {(m.http.path, m.http.verb, m.name) for m in contract.methods if m.http}
    found = {
        (path, verb, operation["operationId"])
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    }
    assert found == routes


def test_every_reference_leads_somewhere_and_every_schema_is_used(
    document: dict[str, Any],
) -> None:
    used = set(references(document))

    for reference in used:
        here: Any = document

        for step in reference.removeprefix("#/").split("/"):
            here = here[step]

    named = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert named - used == set()


def test_every_schema_is_valid(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["description"], name

        for field, described in schema["properties"].items():
            assert described.get("description"), f"{name}.{field}"


def test_a_tool_of_others_can_read_it(document: dict[str, Any]) -> None:
    schema = schemathesis.openapi.from_dict(document)
    labels = {result.ok().label for result in schema.get_all_operations()}
    assert "POST /api/v1/place-order" in labels
    assert len(labels) == len(operations(document))


def test_bodies_of_the_guide_are_valid(document: dict[str, Any]) -> None:
    checked = 0

    for name, example in load_examples().items():
        if "body" in example:
            content = operations(document)[name]["requestBody"]["content"]["application/json"]
            schema = resolved(document, content["schema"])
            jsonschema.validate(example["body"], schema, jsonschema.Draft202012Validator)
            assert content["example"] == example["body"]
            checked += 1

    assert checked >= 8


@pytest.mark.parametrize("body", [{}, {"symbol": "SPY"}, [], [{"symbol": 5}], "SPY"])
def test_a_wrong_body_is_not_valid(document: dict[str, Any], body: object) -> None:
    content = operations(document)["GetQuotes"]["requestBody"]["content"]["application/json"]

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(body, resolved(document, content["schema"]))


def test_array_bodies_and_the_array_reply(document: dict[str, Any]) -> None:
    for name in ("GetQuotes", "GetGreeks", "GetMarketMetrics"):
        body = operations(document)[name]["requestBody"]["content"]["application/json"]
        assert (body["schema"]["type"], body["schema"]["minItems"]) == ("array", 1)

    reply = operations(document)["GetMarketStatus"]["responses"]["200"]
    assert reply["content"]["application/json"]["schema"]["type"] == "array"


def test_a_reply_has_what_the_edge_always_prints(document: dict[str, Any]) -> None:
    quote = document["components"]["schemas"]["Quote"]
    assert "bid_size" in quote["required"]
    assert "bid_price" not in quote["required"]


def test_parameters(document: dict[str, Any], contract: Contract) -> None:
    for method in contract.methods:
        if method.http is None:
            continue

        parameters = operations(document)[method.name].get("parameters", [])
        by_place: dict[str, set[str]] = {"path": set(), "query": set(), "header": set()}

        for parameter in parameters:
            by_place[parameter["in"]].add(parameter["name"])
            assert parameter["description"], f"{method.name}.{parameter['name']}"

        assert by_place["path"] == set(method.http.path_variables)
        assert by_place["query"] == {field.name for field in method.query_fields}
        places_an_order = method.name in {"PlaceOrder", "ReplaceOrder", "PlaceComplexOrder"}
        assert by_place["header"] == ({"Idempotency-Key"} if places_an_order else set())


def test_keys(document: dict[str, Any], contract: Contract) -> None:
    schemes = document["components"]["securitySchemes"]
    assert (schemes["ApiKey"]["name"], schemes["ApiKey"]["in"]) == ("X-API-Key", "header")

    for method in contract.methods:
        if method.http is not None:
            security = operations(document)[method.name]["security"]
            assert ({} in security) == (not method.needs_key), method.name
            assert ({"ApiKey": []} in security) == method.needs_key, method.name


def test_errors_have_the_shape_of_the_guide(document: dict[str, Any]) -> None:
    error = document["components"]["schemas"]["Error"]
    assert error["required"] == ["detail"]

    for operation in operations(document).values():
        failures = {status for status in operation["responses"] if status != "200"}
        assert {"400", "500", "501", "503", "504"} <= failures, operation["operationId"]

        if {} not in operation["security"]:
            assert {"401", "404", "429"} <= failures, operation["operationId"]

    missing = document["components"]["responses"]["Error401"]["content"]["application/json"]
    assert missing["examples"]["ERROR_REASON_MISSING_API_KEY"]["value"] == {
        "detail": "Missing API key. Provide X-API-Key header."
    }


def test_streams_are_event_streams(document: dict[str, Any], contract: Contract) -> None:
    for method in contract.methods:
        if method.http is None:
            continue

        content = operations(document)[method.name]["responses"]["200"]["content"]
        assert ("text/event-stream" in content) == method.server_streaming, method.name


def test_bodies_are_closed_and_strict_ones_take_numbers_for_decimals(
    document: dict[str, Any],
) -> None:
    order = document["components"]["schemas"]["NewOrder"]
    assert order["additionalProperties"] is False
    assert order["properties"]["price"]["type"] == ["string", "number", "null"]
    assert order["properties"]["dry_run"]["type"] == "boolean"
    assert document["components"]["schemas"]["Instrument"]["additionalProperties"] is False
    assert "additionalProperties" not in document["components"]["schemas"]["Quote"]


def bounded(schema: dict[str, Any]) -> bool:
    """Whether a schema of one value lets nothing grow without end."""
    kinds = schema.get("type", [])
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if "enum" in schema or kinds <= {"boolean", "null"}:
        return True
    if "array" in kinds:
        return "maxItems" in schema and ("$ref" in schema["items"] or bounded(schema["items"]))
    if "string" in kinds:
        return {"pattern", "maxLength"} <= schema.keys()
    if kinds & {"number", "integer"}:
        least = schema.keys() & {"minimum", "exclusiveMinimum"}
        return bool(least) and "maximum" in schema
    return "$ref" in schema or "anyOf" in schema or "properties" in schema


def test_whatever_is_sent_is_bounded_in_the_document_too(
    document: dict[str, Any], contract: Contract
) -> None:
    loose = []
    sent: set[str] = set()
    for name, operation in operations(document).items():
        parameters = operation.get("parameters", [])
        loose += [f"{name}.{p['name']}" for p in parameters if not bounded(p["schema"])]
        if "requestBody" in operation:
            body = operation["requestBody"]["content"]["application/json"]["schema"]
            loose += [] if bounded(body) else [name]
            sent |= {each.rpartition("/")[2] for each in references(body)}

    seen: set[str] = set()
    while sent - seen:
        name = (sent - seen).pop()
        seen.add(name)
        schema = document["components"]["schemas"][name]
        assert schema["additionalProperties"] is False, name
        fields = schema["properties"]
        loose += [f"{name}.{field}" for field, inner in fields.items() if not bounded(inner)]
        sent |= {each.rpartition("/")[2] for each in references(schema)}

    assert loose == []
    assert {"NewOrder", "Instrument", "ChatMessage", "SaveCredentialsRequest"} <= seen
