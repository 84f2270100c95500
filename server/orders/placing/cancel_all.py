"""Cancels every working order in a tenant's accounts, once each, for the operator.

It calls the broker directly and writes no record: the tenant's key may be frozen or gone, and
servers may run meanwhile. Orders that belong to a complex order are cancelled with it.
"""

from __future__ import annotations

__all__ = ["CancelResult", "cancel_all"]

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.brokerage import BrokerSession
from server.brokerage.api.order_api import OrderApi
from server.brokerage.api.order_requests import CancelComplexRequest, CancelRequest
from server.brokerage.transport.send_progress import Outcome, SendProgress, outcome_of
from server.clock import Clock, new_york_today
from server.errors import GatewayError
from server.orders.submitting.reconciliation import is_cancelled, is_whole_ending

Raw = Mapping[str, Any]
Request = CancelRequest | CancelComplexRequest


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
        api = OrderApi(session, account)
        working = await api.raw_working(new_york_today(clock))
        for number in _wholes(working):
            yield await _cancel(api, account.number, CancelComplexRequest(target_id=number))

        for raw in working:
            if not raw.get("complex-order-id"):
                yield await _cancel(
                    api, account.number, CancelRequest(target_id=str(raw.get("id")))
                )


def _wholes(working: Sequence[Raw]) -> Sequence[str]:
    numbers = [str(raw["complex-order-id"]) for raw in working if raw.get("complex-order-id")]
    return list(dict.fromkeys(numbers))


async def _cancel(api: OrderApi, account_number: str, request: Request) -> CancelResult:
    progress = SendProgress()
    try:
        accepted = await api.execute(request, progress)
        outcome, words = "cancelled", _status(accepted.answer.get("order", {}))
    except GatewayError as failure:
        outcome, words = await _explained(api, request, failure, progress)

    whole = isinstance(request, CancelComplexRequest)
    return CancelResult(
        account_number=account_number,
        what=f"{'complex ' if whole else ''}order {request.target_id}",
        outcome=outcome,
        words=words,
    )


async def _explained(
    api: OrderApi, request: Request, failure: GatewayError, progress: SendProgress
) -> tuple[str, str]:
    """Returns what a failure proves; after a lost answer the order itself is looked at."""
    words = str(failure)
    match outcome_of(failure, progress):
        case Outcome.UNSENT:
            return "not sent", words
        case Outcome.REFUSED:
            return "refused", words

    try:
        match request:
            case CancelComplexRequest(target_id=number):
                raw = await api.raw_complex_order(number)
                ended = is_whole_ending(raw)
            case CancelRequest(target_id=number):
                raw = await api.raw_order(number)
                ended = is_cancelled(raw)
    except GatewayError:
        return "unknown", words

    if not ended:
        return "unknown", f"{words} It is {raw.get('status') or 'not at its end'} now."

    return "cancelled", _status(raw)


def _status(raw: Raw) -> str:
    """Returns an order's status; a complex order has none of its own."""
    return str(raw.get("status") or "with all that works of it")
