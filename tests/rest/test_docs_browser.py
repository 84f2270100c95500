"""The documentation in a real browser: it renders, loads nothing foreign, and calls the gateway.

Swagger UI takes seconds of the processor to read the contract, so it is loaded once, and the tests
use it one after another, each from whatever state another left it in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser import (
    Seen,
    assert_at_home,
    browser,
    keep_screenshot,
    open_tab,
    page,
    seen,
    window,
)
from tests.stack import Gateway

__all__ = ["browser", "page", "seen", "window"]

pytestmark = pytest.mark.browser


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Swagger UI in a tab that the tests share."""

    page: Page
    seen: Seen
    unfolded: list[str]
    """What a deep link had unfolded before any test touched the page."""


@pytest.fixture(scope="module")
def swagger_ui(window: BrowserContext, gateway: Gateway) -> Loaded:
    """Opened by a deep link, which is the page itself but for the operation that is unfolded."""
    seen = Seen()
    page = open_tab(window, seen)
    page.goto(f"{gateway.url}/docs#/Account/GetBalances")
    expect(page.locator(".info .title")).to_contain_text("tasty gateway")
    expect(page.locator(".opblock-body").first).to_be_visible()
    assert_at_home(seen, gateway)
    blocks = page.locator(".opblock", has=page.locator(".opblock-body"))
    unfolded = blocks.evaluate_all("blocks => blocks.map(block => block.id)")
    return Loaded(page=page, seen=seen, unfolded=unfolded)


@pytest.fixture
def docs(swagger_ui: Loaded, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The loaded page, without what it complained of in an earlier test."""
    swagger_ui.seen.complaints.clear()  # a refused call is a complaint, and a test of its own
    yield swagger_ui.page
    keep_screenshot(swagger_ui.page, request)


@pytest.fixture
def seen_by_docs(swagger_ui: Loaded) -> Seen:
    return swagger_ui.seen


def authorize(page: Page) -> None:
    if is_authorized(page):
        return
    page.locator(".auth-wrapper").get_by_role("button", name="Authorize").first.click()
    key = page.locator(".auth-container", has_text="X-API-Key")
    key.get_by_role("textbox").fill(Gateway.api_key)
    key.get_by_role("button", name="Apply credentials").click()
    key.get_by_role("button", name="Close").click()


def forget_the_key(page: Page) -> None:
    if not is_authorized(page):
        return
    page.locator(".auth-wrapper").get_by_role("button", name="Authorize").first.click()
    key = page.locator(".auth-container", has_text="X-API-Key")
    key.get_by_role("button", name="Remove authorization").click()
    key.get_by_role("button", name="Close").click()


def is_authorized(page: Page) -> bool:
    return page.locator(".auth-wrapper .authorize.locked").count() > 0


def unfold(page: Page, operation: str) -> Locator:
    block = page.locator(f"#operations-{operation}")
    if not block.locator(".opblock-body").count():
        block.locator(".opblock-summary").click()
    return block


def execute(page: Page, operation: str) -> tuple[str, object]:
    """Presses Execute and returns the status and the JSON that the page then shows."""
    block = unfold(page, operation)
    live = block.locator(".live-responses-table .response").first
    if live.count():  # of an earlier test, and not to be taken for the answer to this one
        block.get_by_role("button", name="Clear").click()
        expect(live).to_have_count(0)
    block.get_by_role("button", name="Execute").click()
    expect(live).to_be_visible()
    shown = live.locator(".highlight-code code").first.inner_text()
    return live.locator(".response-col_status").inner_text().split()[0], json.loads(shown)


def test_swagger_ui_shows_every_operation(docs: Page, gateway: Gateway, seen_by_docs: Seen) -> None:
    expect(docs.locator(".info .title")).to_contain_text("tasty gateway")
    described = docs.request.get(f"{gateway.url}/openapi.json").json()["paths"]
    expect(docs.locator(".opblock")).to_have_count(sum(map(len, described.values())))
    assert_at_home(seen_by_docs, gateway)


def test_a_deep_link_opens_its_operation(docs: Page, swagger_ui: Loaded) -> None:
    assert swagger_ui.unfolded == ["operations-Account-GetBalances"]
    expect(docs.locator("#operations-Account-GetBalances .opblock-body")).to_be_visible()


def test_redoc_shows_the_contract(page: Page, gateway: Gateway, seen: Seen) -> None:
    page.goto(f"{gateway.url}/redoc")
    expect(page.get_by_role("heading", name="Get balances")).to_be_visible()
    expect(page.get_by_role("heading", name="Place order").first).to_be_attached()
    page.locator("input[type=text]").first.fill("net liquidating")
    expect(page.get_by_role("search")).to_contain_text("List net liquidating value history")
    assert_at_home(seen, gateway)


def test_without_a_key_the_page_shows_the_guides_sentence(docs: Page) -> None:
    forget_the_key(docs)
    assert execute(docs, "Account-GetBalances") == (
        "401",
        {"detail": "Missing API key. Provide X-API-Key header."},
    )


def test_trying_balances(docs: Page, gateway: Gateway, seen_by_docs: Seen) -> None:
    authorize(docs)
    status, reply = execute(docs, "Account-GetBalances")
    assert status == "200"
    assert isinstance(reply, dict)
    assert reply["account_number"] == Gateway.account
    assert float(reply["cash"]) > 0
    assert_at_home(seen_by_docs, gateway)


def test_trying_quotes(docs: Page, gateway: Gateway, seen_by_docs: Seen) -> None:
    authorize(docs)
    status, reply = execute(docs, "MarketData-GetQuotes")
    assert status == "200"
    assert isinstance(reply, dict)
    first, second = reply["quotes"]
    assert first["event_symbol"] == "AAPL"
    assert second["event_symbol"].startswith("SPY   ")
    assert float(first["bid_price"]) > 0
    assert_at_home(seen_by_docs, gateway)


def test_a_stream_is_not_tried(docs: Page) -> None:
    """The page would wait for its end, which never comes."""
    block = unfold(docs, "MarketData-StreamQuotes")
    expect(block.locator(".opblock-body")).to_be_visible()
    expect(block.get_by_role("button", name="Execute")).to_have_count(0)
