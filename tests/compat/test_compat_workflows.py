"""The guide's three bash workflows, run as they stand there, with bash, curl and jq."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import requests

from tests.compat.conftest import need
from tests.compat.guide import Guide, assert_like
from tests.stack import Gateway
from tests.waiting import eventually

KEY = {"X-API-Key": Gateway.api_key}


@pytest.fixture(autouse=True)
def tools() -> None:
    need("bash", "curl", "jq")


@pytest.mark.usefixtures("priced")
def test_workflow_1_check_the_account_and_place_an_order(
    built: Callable[[str], None], guide: Guide
) -> None:
    built("PlaceOrder")
    ran = guide.run("workflow-1.sh")
    assert (ran.code, ran.statuses) == (0, [200] * 4), ran.output
    for line in ("balances", "positions", "SPY quote", "(dry run)"):
        assert line in ran.output
    balances, positions, quotes, order = ran.replies
    assert_like(guide.reply("balances"), balances)
    assert_like(guide.reply("positions"), positions)
    assert_like(guide.reply("quotes"), quotes)
    assert (order["id"], order["fills"], order["dry_run"]) == ("", [], True)
    assert float(order["price"]) < 0, "a debit, found from the quotes"


async def test_workflow_2_watch_positions_and_close_one(
    built: Callable[[str], None], gateway: Gateway, http: requests.Session, guide: Guide
) -> None:
    built("PlaceOrder")
    url = f"{gateway.url}/api/v1/place-order?account_id={Gateway.account}"
    # What the script closes is there to be closed: bought at any price.
    opening = json.loads(guide.text("place-order.body.json")) | {"price": -100}
    opened = http.post(url, json=opening, headers=KEY)
    assert opened.status_code == 200, opened.text
    order = f"{gateway.url}/api/v1/orders/{opened.json()['id']}?account_id={Gateway.account}"
    await eventually(lambda: http.get(order, headers=KEY).json()["order"]["status"] == "Filled")

    ran = guide.run("workflow-2.sh")
    assert ran.code == 0
    positions, *quotes, last = ran.statuses
    # The script splits `SPY   251219P00685000` at its spaces; what follows them is no symbol.
    words = [line.split()[3].rstrip(".") for line in ran.output.splitlines() if "quote for" in line]
    assert len(words) == len(quotes)
    wrong = [status for status, word in zip(quotes, words, strict=True) if word[:6].isdigit()]
    right = [status for status, word in zip(quotes, words, strict=True) if not word[:6].isdigit()]
    assert set(wrong) <= {400, 404}
    assert set(right) == {200}
    assert (positions, last) == (200, 200), ran.output
    closed = ran.replies[-1]
    assert_like({**guide.reply("place-order"), "fills": []}, closed)
    assert float(closed["price"]) > 0, "a credit, found from the quotes"


def test_workflow_3_ask_the_agent(built: Callable[[str], None], guide: Guide) -> None:
    built("Chat")
    ran = guide.run("workflow-3.sh")
    assert (ran.code, ran.statuses) == (0, [200]), ran.output
    assert ran.output.strip() not in ("", "null")
