"""Prepares a change for a person's confirmation: checked, priced, capped, and then frozen.

What the user confirms is the request that is kept here, with its price, its actions and its name
filled in: nothing is left to be decided when the code comes. The model gets to know that a ticket
was made, never its code: the server tells that to the user.
"""

from __future__ import annotations

__all__ = ["Checked", "Preparation"]

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from tasty.v1.order_pb2 import Order
from tasty.v1.order_placement_pb2 import PlaceComplexOrderResponse, PlaceOrderResponse

from server.agent.caps import Caps
from server.agent.guard import dry_run_of
from server.agent.notional import notional_of
from server.agent.summaries import summary_of
from server.agent.tickets import Ticket, Tickets
from server.agent.tools import Tools
from server.contract.tools import Tool
from server.errors import InvalidField, NotCapped, OrderRefused
from server.tenants import Tenant

ORDER_ID = "client_order_id"
OPEN_WORDS = ("Buy", "Sell")
"""Actions that leave it to the server whether they open or close; of futures the broker's own."""
FUTURE = "Future"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A change that the broker, or our own rules, found possible."""

    request: Message
    """With its price, its actions and its name: what will be called."""
    preview: PlaceOrderResponse | None
    notional: Decimal
    summary: str
    """What it does, in a sentence."""

    @property
    def mid(self) -> Decimal | None:
        """The market's price of it, signed and per unit."""
        if self.preview is None or not self.preview.pricing.mid_price:
            return None

        return Decimal(self.preview.pricing.mid_price)


class Preparation:
    """Checks changes, and makes tickets of them."""

    def __init__(self, tools: Tools, tickets: Tickets, caps: Caps) -> None:
        self._tools = tools
        self._tickets = tickets
        self._caps = caps

    async def ticket(self, tenant: Tenant, tool: Tool, request: Message) -> Ticket:
        """Returns a new ticket; raises what speaks against the change, before anything happened."""
        checked = await self.check(tool, request)
        if checked.notional:
            account_id = getattr(request, "account_id", "").strip()
            self._caps.check(tenant.id, checked.notional, account_id=account_id)

        def make(code: str, expires_at: datetime, due: float) -> Ticket:
            return Ticket(
                code=code,
                tenant=tenant,
                tool=tool,
                account_id=getattr(request, "account_id", "").strip(),
                summary=checked.summary,
                request=checked.request,
                arguments=orjson.dumps(_fields(checked.request)).decode(),
                preview=checked.preview,
                mid=checked.mid,
                notional=checked.notional,
                expires_at=expires_at,
                due=due,
            )

        return self._tickets.put(make)

    async def check(self, tool: Tool, request: Message) -> Checked:
        """Returns the change as it would be made; raises where it cannot be."""
        trial = dry_run_of(request)
        frozen = type(request)()
        frozen.CopyFrom(request)
        body: Any = _named(frozen)
        if body is not None:
            setattr(body, ORDER_ID, _new_name())

        if trial is None:
            return await self._untried(tool, frozen)

        unnamed = _named(trial)
        if unnamed is not None:
            unnamed.ClearField(ORDER_ID)

        answer: Any = await self._tools.call(tool, trial)
        if answer.errors:
            raise OrderRefused(
                " ".join(each.message for each in answer.errors),
                [each.code for each in answer.errors],
            )

        notional = notional_of(answer)
        if notional is None:
            raise NotCapped

        _freeze(body, answer)
        return Checked(
            request=frozen,
            preview=_plain(answer),
            notional=notional,
            summary=summary_of(tool, frozen, answer),
        )

    async def _untried(self, tool: Tool, request: Any) -> Checked:
        """A change that has no dry run: a replacement counts what its order does."""
        if tool.name != "replace_order":
            return Checked(
                request=request,
                preview=None,
                notional=Decimal(0),
                summary=summary_of(tool, request, None),
            )

        _refuse_unpriced(request)
        reading = self._tools["get_order"]
        found: Any = await self._tools.call(
            reading,
            self._tools.request(
                reading, {"account_id": request.account_id, "order_id": request.order_id}
            ),
        )
        as_new = PlaceOrderResponse(order=found.order, price=request.change.price)
        notional = notional_of(as_new)
        if notional is None:
            raise NotCapped

        return Checked(
            request=request,
            preview=None,
            notional=notional,
            summary=summary_of(tool, request, found),
        )


def _refuse_unpriced(request: Any) -> None:
    """The mid would be taken when the code comes: another price than the user has read."""
    if not request.change.price:
        raise InvalidField("change.price", "", "the new price; read the quotes and propose one")


def _freeze(body: Any, answer: Any) -> None:
    """Fills in what the server chose, so that it is not chosen again when the code comes.

    "Sell" closes while there is a position and sells short once there is none: what goes out must
    be what the user has read.
    """
    for part, order in _parts(body, answer):
        for asked, checked in zip(part.legs, order.legs, strict=False):
            if asked.action in OPEN_WORDS and checked.instrument_type != FUTURE:
                asked.action = checked.action

    if isinstance(answer, PlaceOrderResponse) and answer.HasField("price"):
        body.price = answer.price


def _parts(body: Any, answer: Any) -> Iterator[tuple[Any, Order]]:
    """Yields each order of a request with what the broker checked."""
    if isinstance(answer, PlaceOrderResponse):
        yield body, answer.order
    elif isinstance(answer, PlaceComplexOrderResponse):
        whole = answer.complex_order
        yield body.trigger_order, whole.trigger_order
        yield from zip(body.orders, whole.orders, strict=False)


def _named(request: Message) -> Message | None:
    """Finds the message with a `client_order_id`."""
    for field in request.DESCRIPTOR.fields:
        if field.message_type is not None and not field.is_repeated:
            inner: Message = getattr(request, field.name)
            if ORDER_ID in inner.DESCRIPTOR.fields_by_name:
                return inner

    return None


def _new_name() -> str:
    return f"chat-{uuid4().hex}"


def _plain(answer: Any) -> PlaceOrderResponse:
    """Returns any dry run's answer as that of a plain order: what both have in common."""
    if isinstance(answer, PlaceOrderResponse):
        return answer

    plain = PlaceOrderResponse(dry_run=True)
    plain.warnings.extend(answer.warnings)
    plain.errors.extend(answer.errors)
    for name in ("buying_power_effect", "fee_calculation"):
        if answer.HasField(name):
            getattr(plain, name).CopyFrom(getattr(answer, name))

    return plain


def _fields(request: Message) -> dict[str, Any]:
    return MessageToDict(request, preserving_proto_field_name=True)
