"""The simulator's bodies have every key that the broker was recorded with, in the same JSON form.

A form is more than a type: a decimal in a string, a date, an instant with an offset and one with a
Z are different forms. Keys that only some recorded items have must be on some of ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from server.simulator import Simulator, SimulatorSettings
from tests.service.simulator_market.conftest import FRIDAY_NOON, Ask, asking, open_client

RECORDED = Path(__file__).parent / "recorded"

FORMS = (
    ("instant with offset", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00"),
    ("instant with Z", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    ("date", r"\d{4}-\d\d-\d\d"),
    ("decimal", r"-?\d+\.\d+"),
    ("option", r"[A-Z]{1,6} *\d{6}[CP]\d{8}"),
    ("streamer option", r"\.[A-Z]+\d{6}[CP]\d+(\.\d+)?"),
    ("future option", r"\./[A-Z0-9]+ [A-Z0-9 ]{6}\d{6}[CP]\d+(\.\d+)?"),
    ("streamer future option", r"\./[A-Z0-9]+\d\d[CP]\d+(\.\d+)?:[A-Z]+"),
    ("streamer future", r"/[A-Z0-9]+[A-Z]\d\d:[A-Z]+"),
    ("future", r"/[A-Z0-9]+[A-Z]\d"),
    ("product", r"/[A-Z0-9]+"),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ask() -> AsyncIterator[Ask]:
    """One simulator for all: here it is only read."""
    async with Simulator(SimulatorSettings(start=FRIDAY_NOON)) as sim, open_client(sim) as http:
        yield asking(http)


def form(value: Any) -> str:
    if isinstance(value, str):
        found = (name for name, pattern in FORMS if re.fullmatch(pattern, value))
        return next(found, "text")

    return type(value).__name__


def shape(value: Any, path: str = "") -> dict[str, set[str]]:
    """Returns the forms found at every path; items of a list share theirs."""
    result: dict[str, set[str]] = {path: {form(value)}}
    parts: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        parts = [(f"{path}.{key}", each) for key, each in value.items()]
    elif isinstance(value, list):
        parts = [(f"{path}[]", each) for each in value]

    for name, each in parts:
        for where, forms in shape(each, name).items():
            result.setdefault(where, set()).update(forms)

    return result


# Names of things are text in one place and may look like a date or a number in another.
FREE = re.compile(r"\.(last-trade-time|security-id|clearing-code|description|exchange-symbol)$")


def missing(recorded: Any, ours: Any) -> list[str]:
    """Returns what the recording has and we have not."""
    mine = shape(ours)
    problems = []
    for path, forms in shape(recorded).items():
        if path not in mine:
            problems.append(f"no {path} (recorded as {sorted(forms)})")
        elif not FREE.search(path) and not forms & mine[path]:
            problems.append(f"{path} is {sorted(mine[path])}, recorded as {sorted(forms)}")

    return problems


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("option-chain-nested", "/option-chains/AAPL/nested"),
        ("option-chain-flat", "/option-chains/AAPL"),
        ("option-chain-compact", "/option-chains/AAPL/compact"),
        ("futures", "/instruments/futures?product-code[]=ES"),
        ("future-product", "/instruments/future-products/CME/ES"),
        ("future-products", "/instruments/future-products"),
        ("future-option-products", "/instruments/future-option-products"),
        ("futures-option-chain", "/futures-option-chains/ES/nested"),
        ("futures-option-chain-flat", "/futures-option-chains/ZB"),
        ("market-metrics", "/market-metrics?symbols=AAPL"),
        (
            "market-data-by-type",
            "/market-data/by-type?equity=META&equity=AAPL&equity=SPX&index=VIX",
        ),
    ],
)
async def test_every_recorded_key_is_there(ask: Ask, name: str, path: str) -> None:
    recorded = json.loads((RECORDED / f"{name}.json").read_text())
    status, body = await ask(path)
    assert status == 200
    assert set(body) <= {"data", "context", "pagination"}
    assert body["context"] == path.partition("?")[0]
    assert missing(recorded, body["data"]) == []


@pytest.mark.asyncio(loop_scope="module")
async def test_market_data_has_the_keys_of_the_same_symbol_and_no_others(ask: Ask) -> None:
    recorded = json.loads((RECORDED / "market-data-by-type.json").read_text())["items"]
    _, body = await ask("/market-data/by-type?equity=META,AAPL,SPX&index=VIX")
    ours = {item["symbol"]: item for item in body["data"]["items"]}
    for item in recorded:
        assert set(ours[item["symbol"]]) == set(item), item["symbol"]
        assert ours[item["symbol"]]["instrument-type"] == item["instrument-type"]


def test_the_comparison_notices() -> None:
    assert missing({"a": "1.0", "b": [{"c": 1}]}, {"a": "1.0", "b": [{"c": 1}]}) == []
    assert missing({"a": "1.0"}, {"a": 1.0}) != []
    assert missing({"a": "1.0"}, {"a": "one"}) != []
    assert missing({"a": "2026-01-01"}, {"a": "2026-01-01T00:00:00.000Z"}) != []
    assert missing({"b": [{"c": 1}]}, {"b": [{}]}) != []
