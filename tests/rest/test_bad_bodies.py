"""Bodies of any shape through the whole gateway: a sentence that says what is wrong, and where."""

from __future__ import annotations

import json

import pytest
import requests

from tests.stack import Gateway

KEY = {"X-API-Key": Gateway.api_key, "Content-Type": "application/json"}


def refused(gateway: Gateway, http: requests.Session, path: str, body: bytes) -> str:
    answer = http.post(f"{gateway.url}/api/v1/{path}", data=body, headers=KEY)
    assert answer.status_code == 400, answer.text
    assert list(answer.json()) == ["detail"]
    return str(answer.json()["detail"])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'[{"symbol":}', "Invalid request body: it is no JSON"),
        (b"[", "Invalid request body: it is no JSON"),
        (b"not json", "Invalid request body: it is no JSON"),
        (b'[{"symbol": "\xff"}]', "Invalid request body: it is not UTF-8"),
        (b'[{"symbol": 3}]', "Invalid instruments[0].symbol '3'. Expected a text."),
        (
            b'[{"symbol": "A"}, {"symbol": "A", "strike_price": "x"}]',
            "Invalid instruments[1].strike_price 'x'. Expected a number.",
        ),
        (
            b'[{"symbol": "A", "strike_price": 1e400}]',
            "Invalid instruments[0].strike_price '1e400'. Expected a number of at most 18 digits.",
        ),
        (b'[{"symbol": "A", "strike_price": 5.}]', "Invalid request body: it is no JSON"),
        (b'[{"symbol": "A", "strike_price": 0x2b2}]', "Invalid request body: it is no JSON"),
        (b'[{"symbol": "A", "strike_price": NaN}]', "Invalid request body: it is no JSON"),
        (b"[1, 2]", "Invalid instruments[0] '1'. Expected an object."),
        (b'"SPY"', "Invalid request body: expected a JSON array"),
        (b'{"symbol": "SPY"}', "Invalid request body: expected a JSON array"),
        (b"[" * 100_000, "nested too deeply"),  # Python 3.13 reads 5,000
        (
            b'[{"symbol": "SPY", "strike": 5}]',
            "Unknown field 'instruments[0].strike'. Allowed: expiration_date, option_type, ",
        ),
        (
            b'[{"symbol": "A", "option_type": "C", "option_type": "P"}]',
            "Invalid request body: the key 'option_type' is there twice",
        ),
    ],
)
def test_a_malformed_body(
    gateway: Gateway, http: requests.Session, body: bytes, words: str
) -> None:
    assert words in refused(gateway, http, "quotes", body)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("quotes", [{"symbol": {}}], "Invalid instruments[0].symbol '{…}'. Expected a text."),
        ("quotes", [{"symbol": ["A"]}], "Invalid instruments[0].symbol '[…]'. Expected a text."),
        ("market-metrics", {"a": 1}, "Invalid request body: expected a JSON array"),
        ("market-metrics", ["A", 1], "Invalid symbols[1] '1'. Expected a text."),
        ("watchlists/private/manage", {"action": {}}, "Invalid action '{…}'. Expected a text."),
        ("watchlists/private/manage", {"action": ["add"]}, "Invalid action '[…]'."),
        ("watchlists/private/manage", {"": 1}, "Unknown field ''. Allowed: action, name, symbols."),
        ("watchlists/private/manage", [], "Invalid request body: expected a JSON object"),
        ("watchlists/private/manage", None, "Invalid request body: expected a JSON object"),
        ("chat", {"message": "hi", "images": []}, "Unknown field 'images'."),
        ("chat", {"message": 5}, "Invalid message '5'. Expected a text."),
    ],
)
def test_a_body_of_another_shape(
    gateway: Gateway, http: requests.Session, path: str, body: object, words: str
) -> None:
    assert words in refused(gateway, http, path, json.dumps(body).encode())


@pytest.mark.parametrize(
    "body",
    [
        b'{"client_secret": 12345678}',
        b'{"client_secret": ["12345678"]}',
        b'{"client_secret": "\\ud80012345678"}',
        b'{"client_secret": "12345678"',
        b'{"client_secret": "12345678", "client_secret": "12345678"}',
        b'{"client_secret": "12345678\\n", "api_key": "long-enough-key", "refresh_token": "r"}',
        b'{"client_secret": "' + b"12345678" * 600 + b'", "api_key": "k", "refresh_token": "r"}',
        b'{"client_secret": "s", "api_key": "12345678\\u0000", "refresh_token": "r"}',
    ],
)
def test_what_was_sent_as_a_secret_is_not_repeated(
    gateway: Gateway, http: requests.Session, body: bytes
) -> None:
    assert "12345678" not in refused(gateway, http, "credentials", body)
    assert not [line for line in gateway.output if "12345678" in line]


@pytest.mark.parametrize(
    "query",
    [
        "client_secret=s3cr3t-one&refresh_token=s3cr3t-two",
        "clientSecret=s3cr3t-one",
        "refresh%5Ftoken=s3cr3t-one",
        "api_key=s3cr3t-one",
    ],
)
def test_secrets_do_not_belong_into_a_query(
    gateway: Gateway, http: requests.Session, query: str
) -> None:
    body = b'{"api_key": "key-of-the-query", "client_secret": "one", "refresh_token": "two"}'
    words = refused(gateway, http, f"credentials?{query}", body)
    assert words.startswith("Unknown field '")
    assert "s3cr3t" not in words
    # Not even where the body leaves them out.
    assert "s3cr3t" not in refused(gateway, http, f"credentials?{query}", b"{}")
    assert not [line for line in gateway.output if "s3cr3t" in line]
