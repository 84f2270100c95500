"""What the server itself says in a chat, beside the model: of codes, of stops, of refusals."""

from __future__ import annotations

__all__ = [
    "CROPPED",
    "EMPTY",
    "LEFT_OUT",
    "REFUSED",
    "TOO_LONG",
    "broken_off_text",
    "confirmed_text",
    "not_found_text",
    "nothing_done_text",
    "refused_text",
    "stopped_text",
    "unclear_text",
]

from collections.abc import Sequence

from tasty.v1.order_placement_pb2 import PlaceOrderResponse

from server.agent.tickets import LIFETIME, Ticket
from server.errors import BadInput, GatewayError, NotAllowed, NotFound

CROPPED = "\n\n(The answer was cut off at its greatest length.)"
EMPTY = "The model had nothing to say."
REFUSED = "The model declined to answer this."
LEFT_OUT = (
    "This result was left out: the results of this chat are as long as they may be. Answer with "
    "what there is, and tell the user to ask for less at once."
)
TOO_LONG = "\n\n(The conversation has become too long for the model. Begin a new one.)"
UNKNOWN = "Unknown"
REJECTED = "Rejected"


def confirmed_text(ticket: Ticket, receipt: PlaceOrderResponse) -> str:
    """Returns what became of a confirmed change."""
    if receipt.status == UNKNOWN:
        return (
            f"Sent, as confirmed with {ticket.code}: {ticket.summary}. TastyTrade's answer was "
            "lost, so it is not known yet whether the order stands. It is not sent again; look at "
            "your live orders."
        )

    done = "Sent and rejected" if receipt.status == REJECTED else "Done"
    lines = [f"{done}, as confirmed with {ticket.code}: {ticket.summary}"]
    if ticket.account_id:
        lines[0] += f", account {ticket.account_id}"

    if receipt.id:
        lines.append(f"Order {receipt.id}, status {receipt.status}.")

    if receipt.order.reject_reason:
        lines.append(f"The broker says: {receipt.order.reject_reason}")

    lines += [f"The broker warns: {each.message}" for each in receipt.warnings]
    return "\n".join(lines)


def refused_text(error: GatewayError) -> str:
    """Returns why a confirmed change was not made, or may not have been."""
    if isinstance(error, BadInput | NotAllowed | NotFound):
        return nothing_done_text(error)

    return f"It is not known whether anything was done. {error} Look before you ask for it again."


def nothing_done_text(error: GatewayError) -> str:
    """Returns why a change was not made, where nothing was sent."""
    return f"Nothing was done. {error}"


def not_found_text(code: str) -> str:
    """Returns what to say of a code that does not work."""
    return (
        f"This message did nothing: nothing waits for the code {code}. A code works once and for "
        f"{LIFETIME.total_seconds():g} seconds. If you sent it before, look at your live orders; "
        "else ask for the order again."
    )


def unclear_text(codes: Sequence[str]) -> str:
    """Returns how to confirm, to one who wrote a code among other words, or several codes."""
    words = " or ".join(f"confirm {code}" for code in codes)
    return (
        "\n\nYour message holds a code, but it says more than yes, so nothing was done. To go "
        f"ahead, write only: {words}"
    )


def broken_off_text(error: GatewayError) -> str:
    """Returns the end of a chat whose model could not be asked again."""
    return f"\n\n(I stopped before the end. {error})"


def stopped_text(turns: int) -> str:
    """Returns the end of a chat that would not end by itself."""
    return f"\n\n(I stopped after {turns} steps without coming to an end. Ask for less at once.)"
