"""The watch page in a real browser: live quotes and greeks, honest about what is not live."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Page, expect
from tasty.v1 import market_data_stream_pb2, stream_pb2

from tests.browser import Seen, assert_at_home, browser, page, seen, window
from tests.stack import Gateway

__all__ = ["browser", "page", "seen", "window"]

pytestmark = pytest.mark.browser

PRICE = re.compile(r"\d+\.\d\d")


@pytest.fixture
def faults(gateway: Gateway) -> Iterator[str]:
    """Gives the address of the simulator's faults; none is left afterwards."""
    address = f"{gateway.simulator_url}/_admin/faults"
    yield address
    requests.delete(address, timeout=5)


def connect(page: Page, gateway: Gateway, key: str = Gateway.api_key, symbols: str = "") -> None:
    page.goto(f"{gateway.url}/watch{symbols}")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Connect").click()


def expect_state(page: Page, state: str) -> None:
    expect(page.locator("#status")).to_have_attribute("data-state", state)


def test_quotes_move(page: Page, gateway: Gateway, seen: Seen) -> None:
    connect(page, gateway)
    expect_state(page, "open")
    bid = page.locator('#quotes tr[data-symbol="SPY"] .bid')
    expect(bid).to_have_text(PRICE)
    before = bid.inner_text()
    expect(bid).not_to_have_text(before)
    # An index that nobody quotes has a last price and no bid.
    expect(page.locator('#quotes tr[data-symbol="VIX"] .last')).to_have_text(PRICE)
    expect(page.locator('#quotes tr[data-symbol="VIX"] .bid')).to_have_text("–")
    assert_at_home(seen, gateway)


def test_the_key_stays_in_the_tab(page: Page, gateway: Gateway, seen: Seen) -> None:
    connect(page, gateway)
    expect_state(page, "open")
    assert page.evaluate("Object.values(sessionStorage)") == [Gateway.api_key]
    assert page.evaluate("localStorage.length") == 0
    assert page.context.cookies() == []
    assert not any(Gateway.api_key in url for url in seen.urls)
    assert Gateway.api_key not in page.url

    page.reload()
    expect_state(page, "open")
    page.get_by_role("button", name="Forget the key").click()
    expect_state(page, "idle")
    assert page.evaluate("sessionStorage.length") == 0


def test_a_wrong_key_is_told_and_another_can_be_tried(page: Page, gateway: Gateway) -> None:
    connect(page, gateway, key="not-a-key-of-anybody")
    expect_state(page, "refused")
    expect(page.locator("#status")).to_contain_text("Invalid API key")
    page.get_by_label("API key").fill(Gateway.api_key)
    page.get_by_role("button", name="Connect").click()
    expect_state(page, "open")


def test_symbols_come_and_go(page: Page, gateway: Gateway) -> None:
    connect(page, gateway, symbols="#SPY,QQQ")
    expect(page.locator("#quotes tbody tr")).to_have_count(2)
    page.get_by_label("Symbols to add").fill("aapl, /NOSUCHZ6")
    page.get_by_label("Symbols to add").press("Enter")
    expect(page.locator('#quotes tr[data-symbol="AAPL"] .bid')).to_have_text(PRICE)
    unknown = page.locator('#quotes tr[data-symbol="/NOSUCHZ6"]')
    expect(unknown.locator(".age")).to_have_text("unknown")
    expect(unknown).to_have_attribute("title", re.compile("not found"))
    page.get_by_role("button", name="Remove QQQ").click()
    expect(page.locator("#quotes tbody tr")).to_have_count(3)
    assert page.url.endswith("#SPY%2CAAPL%2C%2FNOSUCHZ6")


def test_a_chain_around_the_money(page: Page, gateway: Gateway, seen: Seen) -> None:
    connect(page, gateway)
    rows = page.locator("#chain tbody tr")
    expect(rows).to_have_count(16)
    # Today's contracts stop being quoted in the middle of somebody's day: never those first.
    expect(page.locator("#expirations [aria-pressed=true] small")).to_have_text(
        re.compile("^[1-9]")
    )
    strikes = [float(text) for text in page.locator("#chain tbody th").all_inner_texts()]
    spot = float(page.locator("#spot b").inner_text())
    assert strikes == sorted(strikes)
    assert strikes[6] < spot < strikes[9]
    middle = rows.nth(8)
    expect(middle.locator(".call.bid")).to_have_text(PRICE)
    expect(middle.locator(".put.ask")).to_have_text(PRICE)
    expect(middle.locator(".call.delta")).to_have_text(re.compile(r"0\.[3-6]\d"))
    expect(middle.locator(".put.delta")).to_have_text(re.compile(r"-0\.[3-6]\d"))
    expect(middle.locator(".put.iv")).to_have_text(re.compile(r"\d+\.\d %"))
    expect(middle.locator(".put.delta")).to_have_attribute("title", re.compile("^gamma 0"))

    # Another expiration, and one of its contracts among the quotes.
    first = middle.get_attribute("data-put")
    page.locator("#expirations button").nth(3).click()
    expect(page.locator("#expirations button").nth(3)).to_have_attribute("aria-pressed", "true")
    expect(rows.nth(8)).not_to_have_attribute("data-put", first or "")
    symbol = rows.nth(8).get_attribute("data-put")
    rows.nth(8).locator(".put.bid").click()
    expect(page.locator(f'#quotes tr[data-symbol="{symbol}"] .bid')).to_have_text(PRICE)
    assert_at_home(seen, gateway)


def test_a_chain_that_does_not_exist_is_told(page: Page, gateway: Gateway) -> None:
    connect(page, gateway)
    expect(page.locator("#chain tbody tr")).to_have_count(16)
    page.get_by_label("Underlying").fill("nosuch")
    page.get_by_label("Underlying").press("Enter")
    expect(page.locator("#chain-notice")).to_contain_text("NOSUCH")
    expect(page.locator("#chain")).to_be_hidden()


def test_what_is_stale_looks_stale_until_it_is_live_again(
    page: Page, gateway: Gateway, faults: str
) -> None:
    connect(page, gateway)
    expect(page.locator('#quotes tr[data-symbol="SPY"] .bid')).to_have_text(PRICE)
    for fault in (
        {"kind": "refuse", "path": "/dxlink", "count": None},
        {"kind": "drop", "path": "/dxlink", "at": "now"},
    ):
        assert requests.post(faults, json=fault, timeout=5).status_code == 201
    expect_state(page, "stale")
    expect(page.locator("#notice")).to_have_text("Prices are not live: the connection was lost.")
    expect(page.locator('#quotes tr[data-symbol="SPY"]')).to_have_class("stale")

    requests.delete(faults, timeout=5)
    expect_state(page, "open")
    expect(page.locator("#notice")).to_contain_text("live again after")
    expect(page.locator('#quotes tr[data-symbol="SPY"]')).not_to_have_class("stale")


def test_a_lost_line_is_opened_again_by_itself(page: Page, gateway: Gateway) -> None:
    connect(page, gateway)
    expect_state(page, "open")
    page.context.set_offline(True)
    page.get_by_role("button", name="Remove QQQ").click()  # which opens the stream anew, in vain
    expect_state(page, "waiting")
    expect(page.locator("#status")).to_have_text(re.compile(r"The connection was lost. Again in"))
    page.context.set_offline(False)
    expect_state(page, "open")
    expect(page.locator('#quotes tr[data-symbol="SPY"]')).not_to_have_class("stale")


def test_grpc_web_from_the_browser(page: Page, gateway: Gateway) -> None:
    """A frame of gRPC-Web is a flag, a length and a message: no library is needed to send one."""
    page.goto(f"{gateway.url}/watch")
    request = market_data_stream_pb2.StreamQuotesRequest(symbols=["SPY"])
    received = page.evaluate(
        """async ([path, key, body]) => {
          const frame = new Uint8Array(5 + body.length);
          new DataView(frame.buffer).setUint32(1, body.length);
          frame.set(body, 5);
          const answer = await fetch(path, {
            method: "POST",
            headers: {"content-type": "application/grpc-web+proto", "x-grpc-web": "1",
                      "x-api-key": key},
            body: frame,
          });
          const reader = answer.body.getReader();
          let bytes = [];
          const messages = [];
          while (messages.length < 3) {
            const {done, value} = await reader.read();
            if (done) break;
            bytes = bytes.concat([...value]);
            while (bytes.length >= 5) {
              const size = new DataView(Uint8Array.from(bytes.slice(1, 5)).buffer).getUint32(0);
              if (bytes.length < 5 + size) break;
              if (bytes[0] === 0) messages.push(bytes.slice(5, 5 + size));
              bytes = bytes.slice(5 + size);
            }
          }
          await reader.cancel();
          return messages;
        }""",
        [
            "/tasty.v1.MarketDataService/StreamQuotes",
            Gateway.api_key,
            list(request.SerializeToString()),
        ],
    )
    messages = [
        market_data_stream_pb2.StreamQuotesResponse.FromString(bytes(data)) for data in received
    ]
    assert messages[0].kind == stream_pb2.STREAM_EVENT_KIND_ACKNOWLEDGEMENT
    assert messages[1].quotes[0].symbol == "SPY"
    assert len(messages) == 3


def test_the_page_lets_nothing_foreign_in(gateway: Gateway, http: requests.Session) -> None:
    answer = http.get(f"{gateway.url}/watch")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|style=", answer.text)
    needed = re.findall(r'(?:src|href)="(/assets/[^"]+)"', answer.text)
    assert len(needed) == 6
    for path in needed:
        asset = http.get(gateway.url + path)
        assert asset.status_code == 200
        assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
