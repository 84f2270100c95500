"""Tickets: changes that the agent prepared and that wait for a person's code.

A code is taken out in the same step in which it is found, so it works once however many ask for it
at the same moment. Tickets live in this process only: after a restart no code works, and the user
asks again.
"""

from __future__ import annotations

__all__ = ["CODE_LENGTH", "LIFETIME", "Receipt", "Ticket", "TicketStatistics", "Tickets", "code_in"]

import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from google.protobuf.message import Message
from tasty.v1.order_placement_pb2 import PlaceOrderResponse

from server.clock import Clock
from server.contract.tools import Tool
from server.tenants import Tenant

LIFETIME = timedelta(seconds=120)
MOST = 20
"""Tickets of one tenant that wait at once; the oldest makes room."""
CODE_LENGTH = 6
LETTERS = "ABCDEFGHJKMNPQRTUVWXYZ"
DIGITS = "2346789"
"""Nothing that can be taken for something else when it is read aloud or typed."""
SHAPE = re.compile(rf"(?<![A-Z0-9])[{LETTERS}{DIGITS}]{{{CODE_LENGTH}}}(?![A-Z0-9])")

Receipt = PlaceOrderResponse
"""What became of an order, in the form of the contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One change that waits; what is called is `request`, and nothing else."""

    code: str
    tenant: Tenant
    tool: Tool
    account_id: str
    """Empty for a change that belongs to no account."""
    summary: str
    request: Message = field(repr=False)
    arguments: str
    """The request as JSON text."""
    preview: PlaceOrderResponse | None = field(repr=False)
    """What the dry run said; None for tools that have none."""
    mid: Decimal | None
    """The market's price when the order was prepared, signed and per unit."""
    notional: Decimal
    """What it counts against the agent's caps, in dollars."""
    expires_at: datetime
    due: float
    """The same on the clock's monotonic scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketStatistics:
    waiting: int
    made: int
    taken: int
    expired: int


class Tickets:
    """Tickets by tenant and code."""

    def __init__(self, clock: Clock, code: Callable[[], str] | None = None) -> None:
        self._clock = clock
        self._code = code or new_code
        self._waiting: dict[str, OrderedDict[str, Ticket]] = {}
        self._made = self._taken = self._expired = 0

    def put(self, make: Callable[[str, datetime, float], Ticket]) -> Ticket:
        """Keeps the ticket that `make` makes of a new code, and when it expires."""
        ticket = make(
            self._code(),
            self._clock.now() + LIFETIME,
            self._clock.monotonic() + LIFETIME.total_seconds(),
        )
        self._sweep()
        mine = self._waiting.setdefault(ticket.tenant.id, OrderedDict())
        mine[ticket.code] = ticket
        self._made += 1
        while len(mine) > MOST:
            mine.popitem(last=False)
            self._expired += 1

        return ticket

    def waiting(self, tenant: Tenant) -> tuple[Ticket, ...]:
        """Returns a tenant's tickets whose codes work now."""
        self._sweep()
        mine = self._waiting.get(tenant.id, OrderedDict())
        return tuple(each for each in mine.values() if each.tenant == tenant)

    def take(self, tenant: Tenant, code: str, account_id: str | None = None) -> Ticket | None:
        """Takes the ticket of a code, which works no more then; None where there is none.

        A wrong account takes nothing: the code still works for its own. A change of no account
        fits to each.
        """
        found = {each.code: each for each in self.waiting(tenant)}.get(code)
        if found is None:
            return None

        if account_id is not None and found.account_id not in ("", account_id):
            return None

        del self._waiting[tenant.id][code]
        self._taken += 1
        return found

    async def forget(self, tenant_id: str) -> None:
        """Drops a tenant's tickets, when its credentials change."""
        self._waiting.pop(tenant_id, None)

    def statistics(self) -> TicketStatistics:
        return TicketStatistics(
            waiting=sum(map(len, self._waiting.values())),
            made=self._made,
            taken=self._taken,
            expired=self._expired,
        )

    def _sweep(self) -> None:
        now = self._clock.monotonic()
        for tenant_id, mine in list(self._waiting.items()):
            for code in [code for code, each in mine.items() if each.due <= now]:
                del mine[code]
                self._expired += 1

            if not mine:
                del self._waiting[tenant_id]


def new_code() -> str:
    """Returns a code with a letter and a digit in it, so that no word and no number is one."""
    characters = [secrets.choice(LETTERS), secrets.choice(DIGITS)]
    characters += [secrets.choice(LETTERS + DIGITS) for _ in range(CODE_LENGTH - 2)]
    secrets.SystemRandom().shuffle(characters)
    return "".join(characters)


def code_in(text: str) -> list[str]:
    """Returns what looks like a code, in any case of letters, each once."""
    found = SHAPE.findall(text.upper())
    return [
        each
        for each in dict.fromkeys(found)
        if any(c in DIGITS for c in each) and any(c in LETTERS for c in each)
    ]
