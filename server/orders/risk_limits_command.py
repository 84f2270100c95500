"""Implements the command `switches`: shows and sets risk limits, cancels a tenant's orders.

A tenant is named by its API key, or by its id: the operator has no keys, but finds ids in the log.
"""

from __future__ import annotations

__all__ = ["Shown", "Whose", "cancel_orders", "change_switches", "describe", "read_switches"]

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from server.brokerage import Brokerage
from server.clock import SystemClock
from server.errors import GatewayError, Misconfigured
from server.orders.placing.cancel_all import CancelResult, cancel_all
from server.orders.risk_limits import NONE, RiskLimits, Switches
from server.secret import Secret
from server.settings import Settings
from server.store import Database
from server.tenants import Tenant, Tenants

Whose = Secret | str
"""An API key, or the id of a tenant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A tenant's switches, and what they bind."""

    tenant_id: str
    switches: Switches
    accounts: Sequence[str]
    """The accounts that they bind beside the key."""
    others: Sequence[str] = ()
    """Other tenants whose switches bind accounts in which this one trades."""
    note: str = ""
    """What could not be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    database: Database
    tenants: Tenants
    risk_limits: RiskLimits
    clock: SystemClock


async def read_switches(settings: Settings, whose: Whose) -> Shown:
    """Returns the switches of a tenant; raises InvalidApiKey, or Misconfigured for no such id."""
    async with _opened(settings) as opened:
        tenant_id = await _tenant_id(opened, whose)
        return await _shown(opened, tenant_id)


async def change_switches(
    settings: Settings, whose: Whose, change: Callable[[Switches], Switches]
) -> Shown:
    """Returns the switches of a tenant after the change; servers that run obey them at once.

    For limits the broker is asked for the tenant's accounts, so that they are bound before anybody
    trades in them. Where it does not answer, the first order of the key in an account binds it.
    """
    async with _opened(settings) as opened:
        tenant_id = await _tenant_id(opened, whose)
        after = change(await opened.risk_limits.of(tenant_id))
        accounts: Sequence[str] = ()
        note = ""
        if after.limiting and not await opened.risk_limits.accounts_of(tenant_id):
            accounts, note = await _accounts(settings, opened, tenant_id)

        await opened.risk_limits.put(tenant_id, after, accounts)
        return await _shown(opened, tenant_id, note)


async def cancel_orders(
    settings: Settings, whose: Whose, report: Callable[[CancelResult], None]
) -> bool:
    """Cancels all working orders in a tenant's accounts; returns whether all were cancelled."""
    done = True
    async with _opened(settings) as opened:
        tenant = await _tenant(opened, whose)
        async with Brokerage(settings, opened.tenants, opened.clock) as brokerage:
            try:
                session = await brokerage.session(tenant)
                async for result in cancel_all(session, opened.clock):
                    report(result)
                    done = done and result.done
            except GatewayError as failure:
                # What was cancelled before has been reported.
                raise Misconfigured(f"not everything was cancelled: {failure}") from failure

    return done


def describe(shown: Shown) -> str:
    """Returns the switches in lines for a person."""
    switches = shown.switches
    lines = [
        f"read only    {'yes' if switches.read_only else 'no'}",
        f"reduce only  {'yes' if switches.reduce_only else 'no'}",
        f"order cap    {_dollars(switches.order_cap)}",
        f"day cap      {_dollars(switches.day_cap)}",
        f"symbols      {', '.join(sorted(switches.symbols)) or 'all'}",
        f"tenant       {shown.tenant_id}",
        f"accounts     {', '.join(shown.accounts) or 'none yet'}",
    ]
    lines += [f"bound by     switches of tenant {each}, too" for each in shown.others]
    return "\n".join(lines + ([shown.note] if shown.note else []))


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[_Opened]:
    clock = SystemClock()
    async with Database(settings) as database, Tenants(settings, clock, database) as tenants:
        risk_limits = RiskLimits(settings, database, clock)
        yield _Opened(database=database, tenants=tenants, risk_limits=risk_limits, clock=clock)


async def _tenant(opened: _Opened, whose: Whose) -> Tenant:
    if isinstance(whose, Secret):
        return await opened.tenants.authenticate(whose)

    tenant = opened.tenants.known(whose)
    if tenant is None:
        raise Misconfigured(f"there is no tenant '{whose}', or more than one whose id begins so")

    return tenant


async def _tenant_id(opened: _Opened, whose: Whose) -> str:
    """Returns whose switches are meant; those of a deleted key still bind, and can be lifted."""
    gone = await opened.risk_limits.find(whose) if isinstance(whose, str) else None
    return gone or (await _tenant(opened, whose)).id


async def _accounts(
    settings: Settings, opened: _Opened, tenant_id: str
) -> tuple[Sequence[str], str]:
    """Returns the accounts of a tenant, and a sentence if the broker did not list them."""
    tenant = opened.tenants.known(tenant_id)
    if tenant is None:
        return (), ""

    try:
        async with Brokerage(settings, opened.tenants, opened.clock) as brokerage:
            accounts = await (await brokerage.session(tenant)).accounts()
    except GatewayError as failure:
        return (), (
            f"The accounts could not be asked for ({failure}) They are bound as soon as the key "
            "trades in them."
        )

    return [account.number for account in accounts], ""


async def _shown(opened: _Opened, tenant_id: str, note: str = "") -> Shown:
    accounts = await opened.risk_limits.accounts_of(tenant_id)
    others: dict[str, None] = {}
    for account in {*accounts, *await opened.risk_limits.traded_in(tenant_id)}:
        for bond in await opened.risk_limits.binding(tenant_id, account):
            if not bond.own and bond.switches != NONE:
                others[bond.tenant_id] = None

    return Shown(
        tenant_id=tenant_id,
        switches=await opened.risk_limits.of(tenant_id),
        accounts=accounts,
        others=sorted(others),
        note=note,
    )


def _dollars(amount: object) -> str:
    return "none" if amount is None else f"${amount:,.2f}"
