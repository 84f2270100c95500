"""Maps the short actions `Buy` and `Sell` to opening or closing ones, by the position.

The broker takes the two short words for futures only. Buying what is held short closes it, else it
opens; selling what is held long closes it, else it opens. A quantity beyond the position is not
split: the broker refuses to close more than is held, and says so. Behind a trigger it is the
position that the trigger will have left: what it buys, the orders behind it sell to close.
"""

from __future__ import annotations

__all__ = ["map_action"]

from collections.abc import Iterable, Mapping
from decimal import Decimal

from server.brokerage.api.positions import Position
from server.brokerage.instruments.contracts import Contract
from server.brokerage.instruments.symbols import InstrumentKind

SHORT_WORDS = ("Buy", "Sell")


def map_action(
    action: str,
    contract: Contract,
    positions: Iterable[Position],
    coming: Mapping[str, Decimal],
) -> str:
    """Returns the action to send; `coming` is what will be held besides, by symbol."""
    if action not in SHORT_WORDS or contract.kind is InstrumentKind.FUTURE:
        return action

    held = sum(each.sign * each.quantity for each in positions if each.symbol == contract.symbol)
    held += coming.get(contract.symbol, Decimal(0))
    if action == "Buy":
        return "Buy to Close" if held < 0 else "Buy to Open"

    return "Sell to Close" if held > 0 else "Sell to Open"
