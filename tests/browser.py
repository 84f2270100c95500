"""A real browser for tests of pages: Chromium as Debian installs it, driven by playwright.

Without it the tests are skipped with the reason, except in CI, where that is a failure. With
TASTY_SCREENSHOTS set to a folder, what the browser shows at the end of each test is left there.
Import the fixtures that a module needs: `page` is a tab of its own for each test, in a window that
all tests of the module share.
"""

from __future__ import annotations

__all__ = [
    "WAIT_MS",
    "Seen",
    "assert_at_home",
    "browser",
    "keep_screenshot",
    "open_tab",
    "page",
    "seen",
    "window",
]

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.stack import Gateway

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--no-sandbox",  # tests run as root in containers
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)
WAIT_MS = 60_000
SCREENSHOTS = os.environ.get("TASTY_SCREENSHOTS")


@dataclass(slots=True)
class Seen:
    """What a page asked for and complained of."""

    origins: set[str] = field(default_factory=set)
    urls: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")  # not for the session: playwright's loop would bar those of others
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed; in CI these tests are never skipped")
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        expect.set_options(timeout=WAIT_MS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[BrowserContext]:
    """What tabs share. A window for each test would cost a process and empty caches each time."""
    window = browser.new_context(
        # The processor draws each frame: in full, and with animations, only if somebody will look.
        viewport={"width": 1360, "height": 950 if SCREENSHOTS else 400},
        reduced_motion="no-preference" if SCREENSHOTS else "reduce",
    )
    window.set_default_timeout(WAIT_MS)
    window.new_page()  # stays open and empty, and with it the process that the other tabs run in
    yield window
    window.close()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def page(window: BrowserContext, seen: Seen, request: pytest.FixtureRequest) -> Iterator[Page]:
    page = open_tab(window, seen)
    yield page
    keep_screenshot(page, request)
    page.close()
    window.set_offline(False)  # and nothing else of a test that failed outlives its tab
    window.clear_cookies()


def open_tab(window: BrowserContext, seen: Seen) -> Page:
    """Opens a tab whose requests and complaints are noted in `seen`."""
    page = window.new_page()
    page.on("request", lambda sent: _note(seen, sent.url))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on(
        "console",
        lambda said: (
            seen.complaints.append(said.text) if said.type in ("error", "warning") else None
        ),
    )
    return page


def keep_screenshot(page: Page, request: pytest.FixtureRequest) -> None:
    """Leaves what the test ended with where TASTY_SCREENSHOTS says, if it does."""
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / f"{request.node.name}.png", full_page=False)


def assert_at_home(seen: Seen, gateway: Gateway) -> None:
    """Fails if the page complained, or asked anybody but the gateway for anything."""
    assert not seen.complaints
    assert seen.origins <= {gateway.url, "data", "blob"}
    assert gateway.url in seen.origins


def _note(seen: Seen, url: str) -> None:
    parts = urlsplit(url)
    seen.origins.add(f"{parts.scheme}://{parts.netloc}" if parts.netloc else parts.scheme)
    seen.urls.append(url)
