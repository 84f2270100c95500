"""Tests envelopes, pages and the JSON of values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import orjson
import pytest
from aiohttp.test_utils import make_mocked_request

from server.simulator.envelope import BrokerError, dumps, paginate


def test_values_are_written_as_the_broker_writes_them() -> None:
    values = {
        "price": Decimal("1E+3"),
        "small": Decimal("0.00000001"),
        "at": datetime(2026, 11, 20, 17, 0, 0, 5000, tzinfo=UTC),
        "day": date(2026, 11, 20),
        "legs": (1, None),
    }
    assert orjson.loads(dumps(values)) == {
        "price": "1000",
        "small": "0.00000001",
        "at": "2026-11-20T17:00:00.005+00:00",
        "day": "2026-11-20",
        "legs": [1, None],
    }


def test_a_float_that_is_no_number_of_ours_is_a_mistake() -> None:
    with pytest.raises(TypeError):
        dumps({"value": object()})


def test_an_error_carries_its_inner_errors() -> None:
    inner = [{"code": "cant_buy_for_credit", "message": "You cannot buy for a credit."}]
    error = BrokerError(422, "preflight_check_failure", "One or more checks failed", inner)
    assert error.body() == {
        "error": {
            "code": "preflight_check_failure",
            "message": "One or more checks failed",
            "errors": inner,
        }
    }
    assert BrokerError(406, "406", "old").body()["error"]["code"] == 406


@pytest.mark.parametrize(
    ("query", "items", "before", "after"),
    [
        ("", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], None, "/x?per-page=10&page-offset=1"),
        ("?per-page=4", [0, 1, 2, 3], None, "/x?per-page=4&page-offset=1"),
        ("?per-page=10&page-offset=2", [20, 21, 22], "/x?per-page=10&page-offset=1", None),
        ("?per-page=50", list(range(20)), None, "/x?per-page=20&page-offset=1"),
        ("?page-offset=9", [], "/x?page-offset=8&per-page=10", None),
    ],
)
def test_pages(query: str, items: list[int], before: str | None, after: str | None) -> None:
    body = paginate(range(23), make_mocked_request("GET", f"/x{query}"), per_page=10, maximum=20)
    assert body["data"] == {"items": items}
    assert body["context"] == "/x"
    pagination = body["pagination"]
    assert pagination["total-items"] == 23
    assert pagination["current-item-count"] == len(items)
    assert pagination["item-offset"] == pagination["per-page"] * pagination["page-offset"]
    assert pagination["total-pages"] == -(-23 // pagination["per-page"])
    assert (pagination["previous-link"], pagination["next-link"]) == (before, after)


@pytest.mark.parametrize(
    "query", ["per-page=0", "per-page=-1", "per-page=x", "page-offset=1.5", "per-page=" + "9" * 99]
)
def test_a_page_that_is_no_number_is_refused(query: str) -> None:
    with pytest.raises(BrokerError) as refused:
        paginate([1], make_mocked_request("GET", f"/x?{query}"))

    assert refused.value.status == 400


def test_nothing_is_one_empty_answer() -> None:
    pagination = paginate([], make_mocked_request("GET", "/x"))["pagination"]
    assert (pagination["total-pages"], pagination["next-link"]) == (0, None)
