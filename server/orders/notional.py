"""How much money an order commits, as the caps of the risk switches count it.

Per leg: quantity times multiplier times price, all legs added whatever their side, so that a spread
bought for nothing still counts. The price is the order's own where it has one leg and a price, else
the leg's mid, else the net price of the whole; where none is known, neither is the notional. The
premium of options counts, not what a short one may cost in the end: that is the broker's margin
check. Closing legs count nothing, since a cap must not keep anybody from getting out.
"""

from __future__ import annotations

__all__ = ["notional_of"]

from collections.abc import Mapping, Sequence
from decimal import Decimal

from server.brokerage.contracts import Contract
from server.brokerage.order_specs import CLOSING
from server.orders.drafts import OrderDraft
from server.orders.pricing import LegQuote

ZERO = Decimal(0)


def notional_of(
    draft: OrderDraft, contracts: Sequence[Contract], quotes: Mapping[str, LegQuote]
) -> Decimal | None:
    """Returns dollars, without sign; None where no price is known."""
    if draft.value is not None:
        closes = all(leg.action in CLOSING for leg in draft.legs)
        return ZERO if closes else abs(draft.value)

    own = draft.price if draft.price is not None else draft.stop_trigger
    total = ZERO
    for leg, contract in zip(draft.legs, contracts, strict=True):
        if leg.action in CLOSING or leg.quantity is None:
            continue

        quote = quotes.get(contract.symbol)
        mid = None if quote is None else quote.mid
        worth = own if own is not None and (len(contracts) == 1 or mid is None) else mid
        if worth is None:
            return None

        total += leg.quantity * contract.multiplier * abs(worth)

    return total
