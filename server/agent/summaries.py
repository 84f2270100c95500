"""Tells what a ticket will do, in the server's own words: the user reads them before the code.

Nothing of the model is in them: instruments are named as the broker named them in the dry run.
"""

from __future__ import annotations

__all__ = ["summary_of", "ticket_text"]

from decimal import Decimal
from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from tasty.v1 import order_pb2
from tasty.v1.complex_order_pb2 import ComplexOrder
from tasty.v1.order_placement_pb2 import PlaceComplexOrderResponse, PlaceOrderResponse
from tasty.v1.order_service_pb2 import GetOrderResponse

from server.agent.tickets import LIFETIME, Ticket
from server.brokerage.instruments.symbols import parse
from server.contract.tools import Tool
from server.errors import GatewayError

LONGEST = 2_000
WORDS = {"C": "call", "P": "put"}


def summary_of(tool: Tool, request: Any, answer: Any) -> str:
    """Returns a change in a sentence that leaves nothing of it out.

    `answer` is what the broker said before: of a dry run, or of the order that is to be replaced.
    """
    match answer:
        case PlaceOrderResponse() if answer.order.legs:
            own = answer.price if answer.HasField("price") else ""
            return _order(answer.order, own)
        case PlaceComplexOrderResponse() if answer.complex_order.orders:
            return _several(answer.complex_order)
        case GetOrderResponse():
            old = _order(answer.order, answer.order.price)
            return f"Replace order {request.order_id} ({old}) by one at " + _signed(
                request.change.price
            )

    order_id = getattr(request, "order_id", "") or getattr(request, "complex_order_id", "")
    return f"{tool.title} {order_id}" if order_id else f"{tool.title}: {_arguments(request)}"


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


def _order(order: order_pb2.Order, own: str) -> str:
    legs = " + ".join(_leg(leg) for leg in order.legs)
    return f"{legs}{_price(order, own)}, {order.time_in_force or 'Day'}"


def _several(whole: ComplexOrder) -> str:
    each = " or ".join(f"({_order(part, part.price)})" for part in whole.orders)
    if not whole.HasField("trigger_order"):
        return f"{whole.type}: {each}"

    first = _order(whole.trigger_order, whole.trigger_order.price)
    return f"{whole.type}: first ({first}), and once that is filled {each}"


def _arguments(request: Message) -> str:
    text = orjson.dumps(MessageToDict(request, preserving_proto_field_name=True)).decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def _price(order: order_pb2.Order, own: str) -> str:
    trigger = f", triggered at {order.stop_trigger}" if order.HasField("stop_trigger") else ""
    if own:
        return f" at {_signed(own)}{trigger}"

    if order.HasField("value"):
        return f" for {_signed(order.value)}"

    return f", {order.order_type}{trigger}"


def _signed(price: str) -> str:
    amount = Decimal(price)
    return f"{_plain(abs(amount))} {'debit' if amount < 0 else 'credit'}"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}" if number == number.to_integral() else f"{number:f}"
