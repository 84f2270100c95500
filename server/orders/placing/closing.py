"""Tells whether an order can only reduce a position.

The broker validates "... to Close" strictly, so those words are enough. Of futures it takes "Buy"
and "Sell" only and turns a position around without a word: there the position decides, and what
other working orders are already about to close of it.
"""

from __future__ import annotations

__all__ = ["only_closes"]

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal

from server.brokerage import BrokerSession
from server.brokerage.api.accounts import Account
from server.brokerage.api.order_specs import CLOSING
from server.brokerage.api.orders import Order
from server.brokerage.instruments.contracts import Contract
from server.brokerage.instruments.symbols import InstrumentKind
from server.orders.model.drafts import LegDraft, OrderDraft

ZERO = Decimal(0)


async def only_closes(
    session: BrokerSession,
    account: Account,
    draft: OrderDraft,
    contracts: Sequence[Contract],
    *,
    coming: Mapping[str, Decimal],
    replaced: str | None,
) -> bool:
    """Returns whether every leg closes; `coming` is what will be held besides, by symbol.

    The order that is `replaced` takes no part any more. Of two orders at the same moment neither
    sees the other.
    """
    if all(leg.action in CLOSING for leg in draft.legs):
        return True
    if contracts[0].kind is not InstrumentKind.FUTURE:
        return False

    positions, working = await asyncio.gather(
        session.positions(account), session.live_orders(account)
    )
    (leg,), (contract,) = draft.legs, contracts
    held = sum((p.sign * p.quantity for p in positions if p.symbol == contract.symbol), ZERO)
    held += coming.get(contract.symbol, ZERO)
    others = [order for order in working.items if order.id != replaced]
    room = -_side(leg.action) * held - _about_to_trade(leg, contract.symbol, others)
    return leg.quantity is not None and leg.quantity <= room


def _about_to_trade(leg: LegDraft, symbol: str, working: Sequence[Order]) -> Decimal:
    """Returns what other working orders will still trade on the same side."""
    side = _side(leg.action)
    return sum(
        (
            each.quantity if each.remaining_quantity is None else each.remaining_quantity
            for order in working
            for each in order.legs
            if each.symbol == symbol and each.quantity and _side(each.action or "") == side
        ),
        ZERO,
    )


def _side(action: str) -> int:
    return 1 if action.startswith("Buy") else -1
