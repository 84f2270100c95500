"""How much money an order commits, as the caps of the risk switches count it.

Per leg: quantity times multiplier times price, all legs added whatever their side, so that a spread
bought for nothing still counts. The price of one leg that is bought at a limit is that limit. Sold
at a limit or set off by a stop it trades at the market, so the higher of its price and the market
counts, else a cap would be passed by selling for a cent. Of several legs each counts at its market,
or at the net price of the whole where it has none. Where no price is known, neither is the
notional. The premium of options counts, not what a short one may cost in the end: that is the
broker's margin check. Closing legs count nothing, since a cap must not keep anybody from getting
out.
"""

from __future__ import annotations

__all__ = ["notional_of"]

from collections.abc import Mapping, Sequence
from decimal import Decimal

from server.brokerage.api.order_specs import CLOSING
from server.brokerage.instruments.contracts import Contract
from server.orders.model.drafts import OrderDraft
from server.orders.model.pricing import LegQuote

ZERO = Decimal(0)


def notional_of(
    draft: OrderDraft,
    contracts: Sequence[Contract],
    quotes: Mapping[str, LegQuote],
    *,
    closing: bool = False,
) -> Decimal | None:
    """Returns dollars, without sign; None where no price is known.

    With `closing` what the closing legs are worth, in the same way: models have caps for that, too.
    """
    if draft.value is not None:
        counts = all(leg.action in CLOSING for leg in draft.legs) is closing
        return abs(draft.value) if counts else ZERO

    total = ZERO
    for leg, contract in zip(draft.legs, contracts, strict=True):
        if (leg.action in CLOSING) is not closing or leg.quantity is None:
            continue

        market = _market(quotes.get(contract.symbol))
        if len(contracts) == 1:
            worth = _of_one(draft, market)
        else:
            worth = draft.price if market is None else market

        if worth is None:
            return None

        total += leg.quantity * contract.multiplier * abs(worth)

    return total


def _of_one(draft: OrderDraft, market: Decimal | None) -> Decimal | None:
    """Returns the price of a single leg."""
    if draft.price is not None and draft.price < 0:
        return draft.price

    own = draft.price if draft.price is not None else draft.stop_trigger
    if own is None or market is None:
        return market

    return max(own, market)


def _market(quote: LegQuote | None) -> Decimal | None:
    """Returns what a unit is worth at the market, from one side of it if there is but one."""
    if quote is None:
        return None

    return quote.mid or quote.ask or quote.bid
