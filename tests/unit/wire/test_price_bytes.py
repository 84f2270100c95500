"""Prices put together from dollars and cents are those that decimals make, and few are kept."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from tasty.v1 import quote_pb2

from server.wire import price_bytes

CENTS = st.integers(1, 10**8).map(lambda cents: cents / 100)
PRICES = st.one_of(
    CENTS,
    st.floats(),
    st.floats(0, 1e7, allow_nan=False).map(lambda price: round(price, 3)),
    st.sampled_from([0.0, 0, 687, 1e-7, 1e22, 999_999.99, 1e6, "NaN", None, "687.5"]),
)


@given(bid=PRICES, ask=PRICES)
@example(bid=687.51, ask=687.52)
@example(bid=0.01, ask=0.01)
@example(bid=99.99, ask=100.0)
@example(bid=0.285, ask=0.29)
@example(bid=4_503_599_627_370_497.5, ask=4_503_599_627_370_497.5)
def test_cents_and_decimals_agree(bid: object, ask: object) -> None:
    plain = price_bytes._in_decimals(bid, ask)
    assert price_bytes._in_cents(bid, ask) in (plain, None)


@given(bid=CENTS, ask=CENTS)
def test_whole_cents_go_the_short_way(bid: float, ask: float) -> None:
    made = price_bytes._in_cents(bid, ask)
    assert (made is None) is (max(bid, ask) >= price_bytes.MOST)


def test_a_pair_is_a_bid_an_ask_and_the_mid_between_them() -> None:
    shown, sides = price_bytes.PRICES[687.5, 688.51]
    quote = quote_pb2.Quote.FromString(shown)
    assert (quote.bid_price, quote.ask_price, quote.mid_price) == ("687.50", "688.51", "688.005")
    assert sides == (True, True)
    assert price_bytes.PRICES["NaN", 1.5][1] == (False, True)


def test_what_is_remembered_has_an_end() -> None:
    for cents in range(1, 3 * price_bytes.PAIRS_KEPT):
        price_bytes.PRICES[cents / 100, 5.0]
        price_bytes.PRICES[float(cents), 5.0]
    assert len(price_bytes.PRICES) <= price_bytes.PAIRS_KEPT
    assert len(price_bytes._DOLLARS) <= price_bytes.DOLLARS_KEPT
