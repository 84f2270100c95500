"""The second step of every change: a person's code takes a ticket and carries it out, once.

No model takes part. The code is looked for in the newest message of the user only, and counts only
where the message says nothing but yes: "do not confirm K7QM3F" must not trade. Before an order goes
out the market is asked again, and the caps are reserved.
"""

from __future__ import annotations

__all__ = ["Confirmation", "Intent", "intent_of"]

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from google.protobuf.message import Message
from tasty.v1.order_placement_pb2 import PlaceOrderRequest, PlaceOrderResponse

from server.agent.caps import Caps
from server.agent.guard import dry_run_of
from server.agent.ticket_preparer import Preparation
from server.agent.tickets import Ticket, Tickets, code_in
from server.agent.tools import Tools
from server.contract.tools import Tool
from server.errors import (
    BadInput,
    ChatTradingOff,
    NotAllowed,
    NotFound,
    NotPriceable,
    PriceMoved,
    TicketNotFound,
)
from server.settings import Settings
from server.tenants import Tenant

SMALLEST_COLLAR = Decimal("0.05")
"""Dollars: a cheap option moves by a tick without the market having moved."""
DONE = "Done"
MARKET = "Market"
REPLACES = "replace_order"
"""The one tool of an order that has no dry run."""

YES = frozenset(
    """confirm confirmed confirming confirmation yes yep yeah ok okay sure please place submit send
    execute go ahead do it the this my order trade ticket code with i now thanks thank you approve
    approved agreed accept accepted proceed for""".split()  # noqa: SIM905 - words read better so
)
"""All that may stand beside a code. A word that is not here might be a "not"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What the newest message says about codes."""

    codes: tuple[str, ...]
    plain: bool
    """Whether it says nothing but yes."""


def intent_of(message: str) -> Intent:
    """Reads the newest message of the user."""
    codes = code_in(message)
    words = re.findall(r"[^\W_]+", message.lower())
    rest = [word for word in words if word.upper() not in codes]
    # A question is no yes, and neither is anything with other signs than those of a sentence.
    simple = re.fullmatch(r"[\w\s.,:;!\"'`*-]*", message) is not None
    return Intent(codes=tuple(codes), plain=simple and all(word in YES for word in rest))


class Confirmation:
    """Takes tickets and carries them out."""

    def __init__(
        self,
        settings: Settings,
        tools: Tools,
        tickets: Tickets,
        caps: Caps,
        preparation: Preparation,
    ) -> None:
        self._settings = settings
        self._tools = tools
        self._tickets = tickets
        self._caps = caps
        self._preparation = preparation

    async def confirm(
        self, tenant: Tenant, code: str, account_id: str | None = None
    ) -> tuple[Ticket, PlaceOrderResponse]:
        """Carries out the ticket of a code and returns what became of it: `take`, `carry_out`."""
        ticket = await self.take(tenant, code, account_id)
        return ticket, await self.carry_out(ticket)

    async def take(self, tenant: Tenant, code: str, account_id: str | None = None) -> Ticket:
        """Returns the ticket of a code, with the market asked again.

        From here on the code works no more, whatever happens: an order that was refused, or whose
        market has moved, is asked for again. Raises TicketNotFound, and what speaks against the
        change; whatever it raises, nothing was done.
        """
        if self._settings.chat_trading == "off":
            raise ChatTradingOff

        ticket = self._tickets.take(tenant, code.strip().upper(), account_id)
        if ticket is None:
            raise TicketNotFound(code)

        await self._ask_the_market(ticket)
        return ticket

    async def carry_out(self, ticket: Ticket) -> PlaceOrderResponse:
        """Makes the change of a taken ticket under the caps; raises what the change raises.

        A person has decided, so what only closes is not capped; it counts in the hour.
        """
        with self._reserved(ticket):
            answer = await self._tools.call(ticket.tool, ticket.request, by_person=True)
            return _receipt_of(answer)

    async def at_once(self, tool: Tool, request: Message) -> Message:
        """Carries out a change without a person, where the operator allows that (auto).

        The rpc itself holds it to the caps, as every order of a model. Returns its answer.
        """
        checked = await self._preparation.check(tool, request)
        return await self._tools.call(tool, checked.request)

    @contextmanager
    def _reserved(self, ticket: Ticket) -> Iterator[None]:
        tenant_id, account_id = ticket.tenant.id, ticket.account_id
        if ticket.notional:
            reservation = self._caps.reserve(tenant_id, ticket.notional, account_id=account_id)
        elif ticket.preview is not None or ticket.tool.name == REPLACES:  # it only closes
            reservation = self._caps.note(tenant_id, account_id)
        else:  # a cancel, a watchlist
            yield
            return

        try:
            yield
        except (BadInput, NotAllowed, NotFound):
            reservation.give_back()  # these prove that nothing was done; others prove nothing
            raise

    async def _ask_the_market(self, ticket: Ticket) -> None:
        if dry_run_of(ticket.request) is None:
            return

        checked = await self._preparation.check(ticket.tool, ticket.request)
        if ticket.mid is None:
            return

        if checked.mid is None:
            _refuse_blind(ticket)
            return

        allowed = max(abs(ticket.mid) * self._settings.chat_collar, SMALLEST_COLLAR)
        if abs(checked.mid - ticket.mid) > allowed:
            raise PriceMoved(
                then=f"{ticket.mid:f}", now=f"{checked.mid:f}", allowed=f"{allowed:.2f}"
            )


def _refuse_blind(ticket: Ticket) -> None:
    """An order with a price of its own needs no quotes; one at the market is not sent unseen."""
    order = ticket.request.order if isinstance(ticket.request, PlaceOrderRequest) else None
    if order is not None and order.order_type == MARKET:
        raise NotPriceable("it is a market order, and no quotes came now")


def _receipt_of(answer: Any) -> PlaceOrderResponse:
    """Returns any tool's answer in the form of an order's receipt."""
    if isinstance(answer, PlaceOrderResponse):
        return answer

    names = answer.DESCRIPTOR.fields_by_name
    receipt = PlaceOrderResponse(status=DONE)
    for name in ("id", "status", "client_order_id", "price", "price_source"):
        if name in names and getattr(answer, name):
            setattr(receipt, name, getattr(answer, name))

    for name in ("fills", "warnings"):
        if name in names:
            getattr(receipt, name).extend(getattr(answer, name))

    for name in ("order", "buying_power_effect", "fee_calculation"):
        if name in names and answer.HasField(name):
            getattr(receipt, name).CopyFrom(getattr(answer, name))

    if not receipt.id:
        receipt.id = getattr(answer, "order_id", "") or getattr(answer, "complex_order_id", "")

    return receipt
