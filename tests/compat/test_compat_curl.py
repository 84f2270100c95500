"""Every curl command of the guide, as it stands there, answers as the guide shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.compat.conftest import need
from tests.compat.guide import Guide, assert_like
from tests.stack import Gateway

READS = [
    "balances",
    "positions",
    "net-liquidating-value-history",
    "transaction-history",
    "order-history",
    "quotes",
    "greeks",
    "market-metrics",
    "market-status",
    "search-symbols",
    "option-chain",
    "live-orders",
    "watchlists",
    "current-time",
    "health",
    "add-credentials",
    "register-refresh-token",
]
SHOWN = {
    "balances",
    "positions",
    "quotes",
    "greeks",
    "market-metrics",
    "market-status",
    "option-chain",
    "current-time",
    "health",
    "add-credentials",
}
"""Those whose reply the guide shows; of the others REPLIES and the contract say it."""
WITHOUT_TABLE = {
    "market-status",
    "watchlists",
    "current-time",
    "health",
    "balances",
    "add-credentials",
    "register-refresh-token",
}
WORDS = {"health", "add-credentials"}
"""Those in which every text is promised, not only its name."""


@pytest.fixture(autouse=True)
def tools() -> None:
    need("bash", "curl")


@pytest.fixture
def working_order(
    built: Callable[[str], None], gateway: Gateway, http: requests.Session, guide: Guide
) -> Iterator[str]:
    """An order that rests far from the market; the guide's is number 846283."""
    built("PlaceOrder")
    url = f"{gateway.url}/api/v1/place-order?account_id={Gateway.account}"
    body = json.loads(guide.text("place-order.body.json")) | {"price": -0.01}
    answer = http.post(url, json=body, headers={"X-API-Key": Gateway.api_key})
    assert answer.status_code == 200, answer.text
    number = answer.json()["id"]
    yield number
    http.delete(
        f"{gateway.url}/api/v1/orders/{number}?account_id={Gateway.account}",
        headers={"X-API-Key": Gateway.api_key},
    )


@pytest.mark.usefixtures("priced")
@pytest.mark.parametrize("name", READS)
def test_a_command_answers_as_shown(guide: Guide, name: str) -> None:
    ran = guide.run(f"{name}.sh")
    assert (ran.code, ran.statuses) == (0, [200])
    (reply,) = ran.replies
    if name in SHOWN:
        assert_like(guide.reply(name), reply, name)
    if name in WORDS:
        assert reply.items() >= guide.reply(name).items()
    assert isinstance(reply, (list if name == "market-status" else dict))
    if name not in WITHOUT_TABLE:
        assert reply["table"]


def test_the_option_chain_is_what_its_fields_say(guide: Guide) -> None:
    (chain,) = guide.run("option-chain.sh").replies
    assert chain["total_expirations"] == len(chain["expiration_dates"]) == len(chain["chain"])
    assert chain["total_options"] == len(chain["all_options"])
    assert chain["total_options"] == sum(each["total_options"] for each in chain["chain"].values())
    assert list(chain["chain"]) == chain["expiration_dates"], "in their order, as the guide shows"

    for day, each in chain["chain"].items():
        assert each["total_options"] == len(each["calls"]) + len(each["puts"])
        assert each["strikes"] == sorted({one["strike_price"] for one in each["calls"]})
        assert {one["expiration_date"] for one in each["puts"]} == {day}

    order = [
        (one["expiration_date"], one["strike_price"], one["option_type"])
        for one in chain["all_options"]
    ]
    assert order == sorted(order)
    shown = guide.reply("option-chain")["table"].split("\n")
    table = chain["table"].split("\n")
    assert table[:3] == shown[:3]
    assert len(table) == 3 + chain["total_expirations"]


def test_the_option_chain_kept_in_a_variable(guide: Guide) -> None:
    ran = guide.run("option-chain-4dte.sh")
    assert (ran.code, ran.statuses, ran.output) == (0, [200], "")


@pytest.mark.parametrize("name", ["quotes", "greeks", "market-metrics"])
def test_a_body_that_the_guide_shows(
    gateway: Gateway, http: requests.Session, guide: Guide, name: str
) -> None:
    body = json.loads(guide.text(f"{name}.body.json"))
    answer = http.post(
        f"{gateway.url}/api/v1/{name}", json=body, headers={"X-API-Key": Gateway.api_key}
    )
    assert answer.status_code == 200, answer.text
    assert_like(guide.reply(name), answer.json(), name)
    (rows,) = [value for value in answer.json().values() if value and isinstance(value, list)]
    assert len(rows) == len(body)


@pytest.mark.parametrize("name", ["place-stock-order", "place-option-order", "place-spread"])
def test_placing_an_order(built: Callable[[str], None], guide: Guide, name: str) -> None:
    built("PlaceOrder")
    ran = guide.run(f"{name}.sh")
    assert ran.statuses == [200], ran.output
    (reply,) = ran.replies
    shown = guide.reply("place-order")
    assert_like({**shown, "fills": []}, reply, name)
    assert reply["id"]
    if reply["fills"]:
        assert_like(shown, reply, name)


def test_replacing_an_order(built: Callable[[str], None], guide: Guide, working_order: str) -> None:
    built("ReplaceOrder")
    ran = guide.run("replace-order.sh", **{"846283": working_order})
    assert ran.statuses == [200], ran.output
    (reply,) = ran.replies
    assert reply["replaced_order_id"] == working_order
    assert float(reply["price"]) == json.loads(guide.text("replace-order.body.json"))["price"]


def test_cancelling_an_order(
    built: Callable[[str], None], guide: Guide, working_order: str
) -> None:
    built("CancelOrder")
    ran = guide.run("cancel-order.sh", **{"846283": working_order})
    assert ran.statuses == [200], ran.output
    (reply,) = ran.replies
    assert reply.items() >= {"success": True, "order_id": working_order}.items()


def test_a_watchlist_from_its_first_symbol_to_its_end(guide: Guide) -> None:
    def symbols() -> list[str] | None:
        (reply,) = guide.run("watchlists.sh").replies
        found = [each for each in reply["watchlists"] if each["name"] == "tech-stocks"]
        return [each["symbol"] for each in found[0]["watchlist_entries"]] if found else None

    body = json.loads(guide.text("manage-watchlist.body.json"))
    added = guide.run("watchlist-add.sh")
    assert added.statuses == [200], added.output
    assert added.replies[0]["success"] is True
    assert symbols() == [each["symbol"] for each in body["symbols"]]

    removed = guide.run("watchlist-remove.sh")
    assert removed.statuses == [200], removed.output
    assert symbols() == ["TSLA"]

    deleted = guide.run("watchlist-delete.sh")
    assert deleted.statuses == [200], deleted.output
    assert deleted.replies[0].items() >= {"success": True, "watchlist": "tech-stocks"}.items()
    assert symbols() is None


def test_chat(built: Callable[[str], None], guide: Guide) -> None:
    built("Chat")
    ran = guide.run("chat.sh")
    assert ran.statuses == [200], ran.output
    (reply,) = ran.replies
    assert_like(guide.reply("chat"), reply)
    assert reply["message_history"][0] == guide.reply("chat")["message_history"][0]
    assert [each["role"] for each in reply["message_history"]] == ["user", "assistant"]


def test_chat_with_a_history(
    built: Callable[[str], None], gateway: Gateway, http: requests.Session, guide: Guide
) -> None:
    built("Chat")
    body: dict[str, Any] = json.loads(guide.text("chat.body.json"))
    answer = http.post(
        f"{gateway.url}/api/v1/chat", json=body, headers={"X-API-Key": Gateway.api_key}
    )
    assert answer.status_code == 200, answer.text
    history = answer.json()["message_history"]
    assert history[:2] == body["message_history"]
    assert history[2] == {"role": "user", "content": body["message"]}
    assert history[3]["role"] == "assistant"


def test_several_tenants(guide: Guide, accounts_of: Callable[[str], list[str]]) -> None:
    added = guide.run("tenants-add.sh")
    assert added.statuses == [200, 200]
    assert [each["api_key"] for each in added.replies] == ["tenant1_key", "tenant2_key"]

    one, two = accounts_of("tenant1_key"), accounts_of("tenant2_key")
    assert not {*one} & {*two}
    used = guide.run("tenants-use.sh", TENANT1_ACCOUNT=one[0], TENANT2_ACCOUNT=two[0])
    assert used.statuses == [200, 200], used.output
    for reply in used.replies:
        assert_like(guide.reply("balances"), reply)

    swapped = guide.run("tenants-use.sh", TENANT1_ACCOUNT=two[0], TENANT2_ACCOUNT=one[0])
    assert swapped.statuses == [404, 404]

    listed = guide.run("tenants-list.sh")
    assert listed.statuses == [200]
    assert listed.replies[0]["count"] == len(listed.replies[0]["api_keys"]) >= 3


def test_a_revoked_grant_is_mended_as_the_guide_says(
    gateway: Gateway,
    http: requests.Session,
    guide: Guide,
    accounts_of: Callable[[str], list[str]],
) -> None:
    key = "troubled-tenant-key"
    secrets = {"client_secret": "a-secret", "refresh_token": "revoked-by-its-owner"}
    saved = http.post(f"{gateway.url}/api/v1/credentials", json={"api_key": key, **secrets})
    assert saved.status_code == 200
    mine = {Gateway.api_key: key}
    refused = guide.run("verify-credentials.sh", **mine)
    assert refused.statuses == [401]
    assert refused.replies == [guide.reply("error-grant-revoked")]

    updated = guide.run("update-credentials.sh", **mine)
    assert updated.statuses == [200], updated.output
    mine |= {Gateway.account: accounts_of(key)[0]}
    verified = guide.run("verify-credentials.sh", **mine)
    assert verified.statuses == [200], verified.output
    assert_like(guide.reply("balances"), verified.replies[0])
