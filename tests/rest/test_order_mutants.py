"""A typo cannot trade: order bodies with one thing wrong, thousands of them, and no order placed.

Every name misspelled, every value of another type, every key doubled, every number poisoned, in
every order route: every third of these in `make test`, all with `TASTY_LONG`, which adds as many
thousands with two things wrong at once.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import requests

from tests.effort import LONG, for_ci, one_in
from tests.stack import Gateway

KEY = {"X-API-Key": Gateway.api_key, "Content-Type": "application/json"}
ACCOUNT = Gateway.account

LEG = {"symbol": "KO", "action": "Buy to Open", "quantity": 1}
ORDER = {
    "legs": [LEG],
    "price": -1.00,
    "time_in_force": "Day",
    "dry_run": False,
    "order_type": "Limit",
    "client_order_id": "mutant",
}
PART = {"legs": [LEG], "price": "-1.00", "time_in_force": "Day", "order_type": "Limit"}
NOTIONAL = {
    "legs": [{"symbol": "KO", "action": "Buy to Open"}],
    "order_type": "Notional Market",
    "value": -50,
    "client_order_id": "mutant",
}
COMPLEX = {
    "type": "OTO",
    "trigger_order": PART,
    "orders": [PART],
    "dry_run": False,
    "client_order_id": "mutant",
}
NAMES = ("stock", "option", "stop", "notional", "replace", "complex")

POISON = (
    "NaN",
    "-Infinity",
    "1e400",
    "-1e400",
    '"NaN"',
    '"1e2"',
    '"-1,00"',
    '" -1"',
    '""',
    "0.1234567890123456789",
    "1e-30",
    "999999999999999999999",
    "01",
    "+1",
    "0x1",
    "[]",
    "{}",
    "true",
    "[-1]",
    '{"value": -1}',
)
TEXT_POISON = ("1", "1.5", "true", "[]", "{}", '["Day"]', '"\\ud800"', '""', '"day"', '"\\u0000"')
FLAG_POISON = ("0", "1", '"false"', '"true"', '""', "null", "[]", "{}", "False")
LIST_POISON = ("{}", '""', "1", "true", "null", "[null]", "[1]", '["KO"]', "[[]]", "[{}]")
NUMBERS = {"price", "quantity", "strike_price", "stop_trigger", "value"}
FLAGS = {"dry_run"}
LISTS = {"legs", "orders"}
FREE_TEXTS = {"symbol", "client_order_id", "expiration_date"}
MARK = "\x00"


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yields the path of every key in a body."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def at(body: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        body = body[step]
    return body


def misspelled(key: str) -> Iterator[str]:
    first, *rest = key.split("_")
    camel = first + "".join(word.capitalize() for word in rest)
    for other in (key[:-1], key + "s", key.upper(), key.capitalize(), camel, f" {key}", f"{key} "):
        if other != key:
            yield other
    yield key.replace("e", "\u0435", 1) if "e" in key else key + "\u200b"  # looks the same
    yield key[1] + key[0] + key[2:]


def poisons(key: str) -> tuple[str, ...]:
    if key in NUMBERS:
        return POISON
    if key in FLAGS:
        return FLAG_POISON
    if key in LISTS:
        return LIST_POISON
    if key == "trigger_order":
        return ('""', "1", "[]", "[{}]", "true", "{}")
    known = TEXT_POISON
    if key in FREE_TEXTS:
        known = tuple(each for each in known if each != '"day"')
    return known


def mutants(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields what is wrong, and the text of the body."""
    for path in places(body):
        *above, key = path
        for other in misspelled(key):
            wrong = copy.deepcopy(body)
            holder = at(wrong, tuple(above))
            items = [(other if name == key else name, value) for name, value in holder.items()]
            holder.clear()
            holder.update(items)
            yield f"{path} spelled {other!r}", json.dumps(wrong)
        marked = copy.deepcopy(body)
        at(marked, tuple(above))[key] = MARK
        for poison in poisons(key):
            yield f"{path} = {poison}", json.dumps(marked).replace(json.dumps(MARK), poison)
        twice = copy.deepcopy(body)
        at(twice, tuple(above))[key] = MARK
        value = json.dumps(at(body, path))
        doubled = f'{value}, "{key}": {value}'
        yield f"{path} twice", json.dumps(twice).replace(json.dumps(MARK), doubled)
        extra = copy.deepcopy(body)
        at(extra, tuple(above))["x"] = 1
        yield f"beside {path} something unknown", json.dumps(extra)

    whole = json.dumps(body)
    if "price" not in body or "legs" in body:  # a replacement of nothing named goes to the mid
        yield "the body is {}", "{}"
    for wrong in ("", " ", "null", "[]", '""', "1", whole[:-1], whole + "}", f"[{whole}]"):
        yield f"the body is {wrong[:20]!r}", wrong
    yield "not UTF-8", "\udcff" + whole
    yield "a comment", whole[:-1] + " /* buy */}"
    yield "single quotes", whole.replace('"', "'")
    yield "a form", "legs=1&price=-1"


def orders_at_broker(gateway: Gateway) -> int:
    page = requests.get(f"{gateway.simulator_url}/_admin/exchange/statistics", timeout=10)
    return int(page.json()["orders"])


def send(gateway: Gateway, http: requests.Session, route: str, text: str) -> requests.Response:
    body = text.encode("utf-8", "surrogateescape")
    url = f"{gateway.url}/api/v1{route}?account_id={ACCOUNT}"
    return http.post(url, data=body, headers=KEY, timeout=30)


def refused(answer: requests.Response) -> bool:
    """Whether it is a refusal of the documented shape."""
    if not 400 <= answer.status_code < 500:
        return False
    return list(answer.json()) == ["detail"] and isinstance(answer.json()["detail"], str)


Route = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def routes(gateway: Gateway) -> dict[str, Route]:
    """Bodies that would be taken as they are; so what refuses a mutant is its mistake."""
    with requests.Session() as http:
        placed = send(gateway, http, "/place-order", json.dumps(ORDER | {"client_order_id": "old"}))
        return {
            "stock": ("/place-order", ORDER),
            "option": ("/place-order", ORDER | {"legs": [option(gateway, http)], "price": -0.05}),
            "stop": (
                "/place-order",
                ORDER | {"order_type": "Stop Limit", "stop_trigger": 900, "price": -901},
            ),
            "notional": ("/place-order", NOTIONAL),
            "replace": (
                f"/replace-order/{placed.json()['id']}",
                {"price": -1.50, "client_order_id": "mutant"},
            ),
            "complex": ("/place-complex-order", COMPLEX),
        }


def option(gateway: Gateway, http: requests.Session) -> dict[str, Any]:
    url = f"{gateway.url}/api/v1/option-chain?symbol=KO&option_type=P&min_dte=20&max_dte=60"
    chain = http.get(url, headers=KEY, timeout=30).json()["chain"]
    put = chain[min(chain)]["puts"][0]
    return {
        "symbol": "KO",
        "option_type": "P",
        "action": "Buy to Open",
        "quantity": 1,
        "strike_price": put["strike_price"],
        "expiration_date": put["expiration_date"],
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_body_with_one_thing_wrong_places_nothing(
    gateway: Gateway, http: requests.Session, routes: dict[str, Route], name: str
) -> None:
    route, body = routes[name]
    before = orders_at_broker(gateway)
    passed = [
        (what, answer.status_code, answer.text[:200])
        for what, text in one_in(3, mutants(body), first=NAMES.index(name))
        if not refused(answer := send(gateway, http, route, text))
    ]
    assert passed == []
    assert orders_at_broker(gateway) == before


@for_ci
def test_bodies_with_two_things_wrong_place_nothing(
    gateway: Gateway, http: requests.Session, routes: dict[str, Route]
) -> None:
    random = Random(20261122)
    before = orders_at_broker(gateway)
    wrong = {name: list(mutants(body)) for name, (_, body) in routes.items()}
    for _ in range(1000 * LONG):
        name = random.choice(NAMES)
        _, text = random.choice(wrong[name])
        cut = random.randrange(len(text) + 1)
        noise = random.choice(['"', "}", "{", ",", ":", "\\", "x", "\x00", "é"])
        answer = send(gateway, http, routes[name][0], text[:cut] + noise + text[cut:])
        assert refused(answer), (text, cut, noise, answer.text)
    assert orders_at_broker(gateway) == before


def test_there_are_thousands_and_the_sound_ones_are_taken(
    gateway: Gateway, http: requests.Session, routes: dict[str, Route]
) -> None:
    assert sum(1 for _, body in routes.values() for _ in mutants(body)) >= 1_000
    for name, (route, body) in routes.items():
        before = orders_at_broker(gateway)
        sound = json.dumps(body | {"client_order_id": f"sound-{name}"})
        answer = send(gateway, http, route, sound)
        assert answer.status_code == 200, (name, answer.text)
        assert orders_at_broker(gateway) > before
