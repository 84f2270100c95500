"""The documentation in a real browser: it renders, loads nothing foreign, and calls the gateway.

Chromium is what Debian installs; without it the tests are skipped with the reason, except in CI,
where that is a failure. With TASTY_SCREENSHOTS set to a folder, what the browser shows is left
there.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.stack import Gateway

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--no-sandbox",  # tests run as root in containers
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)
WAIT_MS = 20_000


@dataclass(slots=True)
class Seen:
    """What a page asked for and complained of."""

    origins: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed; in CI these tests are never skipped")
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, seen: Seen, request: pytest.FixtureRequest) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1360, "height": 950})
    page.set_default_timeout(WAIT_MS)
    page.on("request", lambda sent: seen.origins.add(origin(sent.url)))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on(
        "console",
        lambda said: (
            seen.complaints.append(said.text) if said.type in ("error", "warning") else None
        ),
    )
    yield page
    if folder := os.environ.get("TASTY_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{request.node.name}.png", full_page=False)
    page.close()


@pytest.fixture
def seen() -> Seen:
    return Seen()


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else parts.scheme


def assert_at_home(seen: Seen, gateway: Gateway) -> None:
    assert not seen.complaints
    assert seen.origins <= {gateway.url, "data", "blob"}
    assert gateway.url in seen.origins


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
