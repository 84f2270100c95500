"""Tells what a ticket will do, in the server's own words: the user reads them before the code.

Nothing of the model is in them: instruments are named as the broker named them in the dry run.
"""

from __future__ import annotations

__all__ = ["order_summary", "summary", "ticket_text"]

from decimal import Decimal

from google.protobuf.message import Message
from tasty.v1 import order_pb2
from tasty.v1.order_placement_pb2 import PlaceOrderResponse

from server.agent.tickets import LIFETIME, Ticket
from server.brokerage.symbols import parse
from server.contract.tools import Tool
from server.errors import GatewayError

LONGEST = 300
WORDS = {"C": "call", "P": "put"}


def order_summary(receipt: PlaceOrderResponse) -> str:
    """Returns an order in a sentence, from what the broker checked."""
    order = receipt.order
    legs = " + ".join(_leg(leg) for leg in order.legs)
    price = _price(receipt, order)
    return f"{legs}{price}, {order.time_in_force or 'Day'}"


def summary(tool: Tool, request: Message, arguments: str) -> str:
    """Returns any other change in a sentence: the tool and its arguments."""
    order_id = getattr(request, "order_id", "") or getattr(request, "complex_order_id", "")
    if tool.name == "replace_order":
        return f"Replace order {order_id} by one at {_signed(request.change.price)}"  # type: ignore[attr-defined] # its request has one

    if order_id:
        return f"{tool.title} {order_id}"

    shown = arguments if len(arguments) <= LONGEST else arguments[:LONGEST] + "…"
    return f"{tool.title}: {shown}"


def ticket_text(ticket: Ticket) -> str:
    """Returns what the user reads of a ticket: what it does, what it costs, how to confirm it."""
    lines = [f"Prepared, not done: {ticket.summary}"]
    if ticket.account_id:
        lines[0] += f", account {ticket.account_id}"

    if ticket.preview is not None:
        lines += _costs(ticket.preview)

    lines.append(
        f"To go ahead, answer: confirm {ticket.code} (within {LIFETIME.total_seconds():g} seconds; "
        "it works once)."
    )
    return "\n".join(lines)


def _costs(preview: PlaceOrderResponse) -> list[str]:
    lines = []
    effect = preview.buying_power_effect.change_in_buying_power
    fees = preview.fee_calculation.total_fees
    costs = [f"buying power {effect}"] if effect else []
    costs += [f"fees {fees}"] if fees else []
    if costs:
        lines.append(f"The broker's dry run: {', '.join(costs)}.")

    lines += [f"The broker warns: {each.message}" for each in preview.warnings]
    return lines


def _leg(leg: order_pb2.OrderLeg) -> str:
    return f"{leg.action} {leg.quantity:g} {_instrument(leg.symbol)}"


def _instrument(symbol: str) -> str:
    try:
        found = parse(symbol)
    except GatewayError:
        return symbol

    if found.strike is None or found.expiration is None or found.option_type is None:
        return symbol

    word = WORDS.get(found.option_type, found.option_type)
    return f"{found.root} {found.expiration} {_plain(found.strike)} {word}"


def _price(receipt: PlaceOrderResponse, order: order_pb2.Order) -> str:
    trigger = f", triggered at {order.stop_trigger}" if order.HasField("stop_trigger") else ""
    if receipt.HasField("price"):
        return f" at {_signed(receipt.price)}{trigger}"

    if order.HasField("value"):
        return f" for {_signed(order.value)}"

    return f", {order.order_type}{trigger}"


def _signed(price: str) -> str:
    amount = Decimal(price)
    return f"{_plain(abs(amount))} {'debit' if amount < 0 else 'credit'}"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}" if number == number.to_integral() else f"{number:f}"
