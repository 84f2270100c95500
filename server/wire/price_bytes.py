"""The prices of a quote on the wire: bid, ask, and the mid between them.

Pairs come back, but a market visits more of them than are worth keeping: a few thousand are found
again, and those of whole cents, which almost all are, are cheap to put together anew.
"""

from __future__ import annotations

__all__ = ["PRICES", "Sides"]

from decimal import Decimal
from typing import Any

from tasty.v1 import quote_pb2

from server.brokerage.streaming import feed_numbers as feed
from server.wire.field_bytes import LENGTH, delimited, tag_of, text

_BID, _ASK, _MID = (
    tag_of(quote_pb2.Quote, name, LENGTH) for name in ("bid_price", "ask_price", "mid_price")
)

MOST = 1e6
"""Prices below it, in cents, have so few digits that no other float is nearest to them."""

DOLLARS_KEPT = 1 << 10
"""A symbol is at one or two numbers of dollars at a time."""

PAIRS_KEPT = 1 << 12
"""Pairs remembered, about one MiB of them; all are forgotten when there are more."""

Sides = tuple[bool, bool]
"""Whether there is a bid, and whether there is an ask."""

BOTH: Sides = (True, True)

_CENTS = [b".%02d" % cents for cents in range(100)]

_HALF_CENTS = [
    b".%03d" % (5 * halves) if halves % 2 else _CENTS[halves // 2] for halves in range(200)
]
"""What stands behind the dollars of a mid, by its half cents."""


class _Prices(dict[tuple[Any, Any], tuple[bytes, Sides]]):
    """By bid and ask: the fields of both and, if there are both, of the mid; which there are."""

    def __missing__(self, pair: tuple[Any, Any]) -> tuple[bytes, Sides]:
        if len(self) >= PAIRS_KEPT:
            self.clear()
        self[pair] = made = _in_cents(*pair) or _in_decimals(*pair)
        return made


def _in_cents(bid: Any, ask: Any) -> tuple[bytes, Sides] | None:
    """As `_in_decimals`, in a fifth of the time, for prices of whole cents; None for others."""
    if not (type(bid) is float is type(ask) and 0.0 < bid < MOST and 0.0 < ask < MOST):
        return None

    low, high = round(bid * 100.0), round(ask * 100.0)
    if low / 100 != bid or high / 100 != ask:
        return None

    both = low + high
    parts = (
        _DOLLARS[low // 100][0],
        _CENTS[low % 100],
        _DOLLARS[high // 100][1],
        _CENTS[high % 100],
        _DOLLARS[both // 200][2 + both % 2],
        _HALF_CENTS[both % 200],
    )
    return b"".join(parts), BOTH


def _in_decimals(bid: Any, ask: Any) -> tuple[bytes, Sides]:
    low, high = feed.price(bid), feed.price(ask)
    shown = text(_BID, low) + text(_ASK, high)
    if low is not None and high is not None:
        shown += text(_MID, f"{(Decimal(low) + Decimal(high)) / 2:f}")
    return shown, (low is not None, high is not None)


class _Dollars(dict[int, tuple[bytes, bytes, bytes, bytes]]):
    """What stands before the point: of a bid, of an ask, of a mid with two and with three decimals.

    The length of the whole text is part of it.
    """

    def __missing__(self, whole: int) -> tuple[bytes, bytes, bytes, bytes]:
        if len(self) >= DOLLARS_KEPT:
            self.clear()
        digits = b"%d" % whole
        bid, ask, mid = (delimited(tag, digits + b".00") for tag in (_BID, _ASK, _MID))
        longer = delimited(_MID, digits + b".000")
        self[whole] = made = (bid[:-3], ask[:-3], mid[:-3], longer[:-4])
        return made


_DOLLARS = _Dollars()

PRICES = _Prices()
