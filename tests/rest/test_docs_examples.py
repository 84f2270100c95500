"""The examples in the API description are real replies: REGENERATE_GOLDEN=1 records them anew.

Prices and times differ with every reply, so what is compared is names. `make gen` then puts new
examples into gen/openapi.json.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests

import server.contract.examples
from server.contract.catalog import load
from server.contract.examples import load_examples
from tests.rest.recording import Recorded, record, shortened
from tests.stack import HOME, Gateway

EXAMPLES = load_examples()
FOLDER = Path(server.contract.examples.__file__).parent
UNARY = [each.name for each in load().methods if each.http and not each.streams]


@pytest.fixture(scope="module")
def recorded(gateway: Gateway) -> Recorded:
    with requests.Session() as http:
        found = record(gateway, http)
    if os.environ.get("REGENERATE_GOLDEN") == "1":
        for name, example in found.items():
            example = example | {"reply": shortened(example["reply"])}
            text = json.dumps(example, indent=2, ensure_ascii=False) + "\n"
            (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((HOME / "gen" / "openapi.json").read_text())
    return loaded


def answer_schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    method = load().named(name)
    assert method.http is not None
    operation = document["paths"][method.http.path][method.http.verb]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    return {**schema, "components": document["components"]}


@pytest.mark.parametrize("name", UNARY)
def test_a_reply_is_valid_and_its_example_is_like_it(
    recorded: Recorded, document: dict[str, Any], name: str
) -> None:
    assert name in recorded, f"nothing calls {name} in tests/rest/recording.py, or it is not built"
    reply = recorded[name]["reply"]
    example = load_examples()[name]["reply"]
    for each in (reply, example):
        jsonschema.validate(each, answer_schema(document, name), jsonschema.Draft202012Validator)
    assert reply, "an example should show something"
    if isinstance(reply, dict):
        assert example.keys() == reply.keys()


def test_nothing_secret_is_in_the_examples() -> None:
    text = json.dumps(EXAMPLES)
    assert Gateway.api_key not in text
    assert "demo-refresh-token" not in text
