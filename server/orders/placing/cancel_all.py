"""Cancels everything that works in a tenant's accounts, once each, for the operator.

It speaks to the broker directly and keeps no record: the tenant's key may be frozen or gone, and
servers may run meanwhile. Orders that belong to a complex order are cancelled with it.
"""

from __future__ import annotations

__all__ = ["CancelResult", "cancel_all"]

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.brokerage import BrokerSession
from server.brokerage.api.order_api import OrderApi
from server.brokerage.transport.send_progress import Outcome, SendProgress, outcome_of
from server.clock import Clock, new_york_today
from server.errors import GatewayError
from server.orders.submitting.reconciliation import is_cancelled, is_whole_ending

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelResult:
    """What became of one cancel."""

    account_number: str
    what: str
    """`order 846283` or `complex order 4711`."""
    outcome: str
    """`cancelled`, `refused`, `not sent` or `unknown`."""
    words: str
    """The status of the order, or why not."""

    @property
    def done(self) -> bool:
        return self.outcome == "cancelled"


async def cancel_all(session: BrokerSession, clock: Clock) -> AsyncIterator[CancelResult]:
    """Yields a result for each cancel; raises GatewayError where an account cannot be read."""
    for account in await session.accounts():
        pages = OrderApi(session, account)
        working = await pages.raw_working(new_york_today(clock))
        for number in _wholes(working):
            yield await _cancel(pages, account.number, number, whole=True)

        for raw in working:
            if not raw.get("complex-order-id"):
                yield await _cancel(pages, account.number, str(raw.get("id")), whole=False)


def _wholes(working: Sequence[Raw]) -> Sequence[str]:
    numbers = [str(raw["complex-order-id"]) for raw in working if raw.get("complex-order-id")]
    return list(dict.fromkeys(numbers))


async def _cancel(
    pages: OrderApi, account_number: str, number: str, *, whole: bool
) -> CancelResult:
    progress = SendProgress()
    try:
        if whole:
            await pages.cancel_complex(number, progress)
            outcome, words = "cancelled", "with all that works of it"
        else:
            answer = await pages.cancel(number, progress)
            outcome, words = "cancelled", str(answer.get("status") or "")
    except GatewayError as failure:
        outcome, words = await _told(pages, number, failure, progress, whole=whole)

    return CancelResult(
        account_number=account_number,
        what=f"complex order {number}" if whole else f"order {number}",
        outcome=outcome,
        words=words,
    )


async def _told(
    pages: OrderApi, number: str, failure: GatewayError, progress: SendProgress, *, whole: bool
) -> tuple[str, str]:
    """Returns what a failure proves; a lost answer is looked for in the order itself."""
    words = str(failure)
    match outcome_of(failure, progress):
        case Outcome.UNSENT:
            return "not sent", words
        case Outcome.REFUSED:
            return "refused", words

    try:
        raw = await (pages.raw_complex_order(number) if whole else pages.raw_order(number))
    except GatewayError:
        return "unknown", words

    ended = is_whole_ending(raw) if whole else is_cancelled(raw)
    if not ended:
        return "unknown", f"{words} It is {raw.get('status') or 'not at its end'} now."

    return "cancelled", str(raw.get("status") or "with all that works of it")
