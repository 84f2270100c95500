"""What the command `switches` does: shows and sets the risk switches of one API key."""

from __future__ import annotations

__all__ = ["change_switches", "describe", "read_switches"]

from collections.abc import Callable

from server.clock import SystemClock
from server.orders.switches import SwitchBoard, Switches
from server.secret import Secret
from server.settings import Settings
from server.store import Database
from server.tenants import Tenants


async def read_switches(settings: Settings, api_key: Secret) -> Switches:
    """Returns the switches of a key; raises InvalidApiKey."""
    return await change_switches(settings, api_key, lambda switches: switches)


async def change_switches(
    settings: Settings, api_key: Secret, change: Callable[[Switches], Switches]
) -> Switches:
    """Returns the switches of a key after the change; servers that run obey them at once."""
    clock = SystemClock()
    async with Database(settings) as database, Tenants(settings, clock, database) as tenants:
        tenant = await tenants.authenticate(api_key)
        board = SwitchBoard(settings, database, clock)
        before = await board.of(tenant.id)
        after = change(before)
        if after != before:
            await board.put(tenant.id, after)

    return after


def describe(switches: Switches) -> str:
    """Returns the switches in lines for a person."""
    symbols = ", ".join(sorted(switches.symbols)) or "all"
    return "\n".join(
        (
            f"read only    {'yes' if switches.read_only else 'no'}",
            f"order cap    {_dollars(switches.order_cap)}",
            f"day cap      {_dollars(switches.day_cap)}",
            f"symbols      {symbols}",
        )
    )


def _dollars(amount: object) -> str:
    return "none" if amount is None else f"${amount:,.2f}"
