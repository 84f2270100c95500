"""The documentation in a real browser: it renders, loads nothing foreign, and calls the gateway."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Seen, assert_at_home, browser, page, seen
from tests.stack import Gateway

__all__ = ["browser", "page", "seen"]

pytestmark = pytest.mark.browser


def authorize(page: Page) -> None:
    page.get_by_role("button", name="Authorize").first.click()
    key = page.locator(".auth-container", has_text="X-API-Key")
    key.get_by_role("textbox").fill(Gateway.api_key)
    key.get_by_role("button", name="Apply credentials").click()
    key.get_by_role("button", name="Close").click()


def execute(page: Page, operation: str) -> tuple[str, object]:
    """Presses Execute and returns the status and the JSON that the page then shows."""
    block = page.locator(f"#operations-{operation}")
    block.locator(".opblock-summary").click()
    block.get_by_role("button", name="Execute").click()
    live = block.locator(".live-responses-table .response").first
    expect(live).to_be_visible()
    shown = live.locator(".highlight-code code").first.inner_text()
    return live.locator(".response-col_status").inner_text().split()[0], json.loads(shown)


def test_swagger_ui_shows_every_operation(page: Page, gateway: Gateway, seen: Seen) -> None:
    page.goto(f"{gateway.url}/docs")
    expect(page.locator(".info .title")).to_contain_text("tasty gateway")
    described = page.request.get(f"{gateway.url}/openapi.json").json()["paths"]
    expect(page.locator(".opblock")).to_have_count(sum(map(len, described.values())))
    assert_at_home(seen, gateway)


def test_redoc_shows_the_contract(page: Page, gateway: Gateway, seen: Seen) -> None:
    page.goto(f"{gateway.url}/redoc")
    expect(page.get_by_role("heading", name="Get balances")).to_be_visible()
    expect(page.get_by_role("heading", name="Place order").first).to_be_attached()
    page.locator("input[type=text]").first.fill("net liquidating")
    expect(page.get_by_role("search")).to_contain_text("List net liquidating value history")
    assert_at_home(seen, gateway)


def test_trying_balances(page: Page, gateway: Gateway, seen: Seen) -> None:
    page.goto(f"{gateway.url}/docs")
    authorize(page)
    status, reply = execute(page, "Account-GetBalances")
    assert status == "200"
    assert isinstance(reply, dict)
    assert reply["account_number"] == Gateway.account
    assert float(reply["cash"]) > 0
    assert_at_home(seen, gateway)


def test_trying_quotes(page: Page, gateway: Gateway, seen: Seen) -> None:
    page.goto(f"{gateway.url}/docs")
    authorize(page)
    status, reply = execute(page, "MarketData-GetQuotes")
    assert status == "200"
    assert isinstance(reply, dict)
    first, second = reply["quotes"]
    assert first["event_symbol"] == "AAPL"
    assert second["event_symbol"].startswith("SPY   ")
    assert float(first["bid_price"]) > 0
    assert_at_home(seen, gateway)


def test_without_a_key_the_page_shows_the_guides_sentence(page: Page, gateway: Gateway) -> None:
    page.goto(f"{gateway.url}/docs")
    assert execute(page, "Account-GetBalances") == (
        "401",
        {"detail": "Missing API key. Provide X-API-Key header."},
    )


def test_a_stream_is_not_tried(page: Page, gateway: Gateway) -> None:
    """The page would wait for its end, which never comes."""
    page.goto(f"{gateway.url}/docs")
    block = page.locator("#operations-MarketData-StreamQuotes")
    block.locator(".opblock-summary").click()
    expect(block.locator(".opblock-body")).to_be_visible()
    expect(block.get_by_role("button", name="Execute")).to_have_count(0)


def test_a_deep_link_opens_its_operation(page: Page, gateway: Gateway) -> None:
    page.goto(f"{gateway.url}/docs#/Account/GetBalances")
    expect(page.locator("#operations-Account-GetBalances .opblock-body")).to_be_visible()
