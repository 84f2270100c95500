"""Reads and writes the risk switches of tenants, and finds those that bind an order.

Switches bind the API key for which they were set, whoever registers it again, and the broker's
accounts that were traded with it, whatever key trades in them. So deleting a key, or taking a
second one, frees nobody. Statements only: each function works in the transaction of its caller.
"""

from __future__ import annotations

__all__ = [
    "Bond",
    "Switches",
    "accounts_of",
    "bind_accounts",
    "bonds_of",
    "cents",
    "own_switches",
    "put",
    "spent",
    "symbols_from",
    "tenants_of",
    "traded_in",
]

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    union,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from server.orders.model.schema import journal, switch_accounts, switches
from server.orders.submitting.insert_or_ignore import insert_missing
from server.tenants.schema import tenants

UNCOUNTED = ("refused", "unsent")
"""States of the order journal in which nothing was sent, or nothing came of it."""

MOST_CENTS = 10**15
"""Ten trillion dollars: what is more is written as this, so that thousands of such slips of the
finger still fit into the sum of a day, which the database keeps in 64 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """One set of switches; None and empty mean no limit."""

    read_only: bool = False
    """The key may only read."""
    reduce_only: bool = False
    """Cancels and what only reduces a position pass, nothing else."""
    order_cap: Decimal | None = None
    day_cap: Decimal | None = None
    symbols: frozenset[str] = frozenset()

    @property
    def capped(self) -> bool:
        return self.order_cap is not None or self.day_cap is not None

    @property
    def limiting(self) -> bool:
        """Whether it matters to them that an order only reduces a position."""
        return self.capped or self.reduce_only or bool(self.symbols)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bond:
    """Switches of a tenant, and how they bind an order."""

    switches: Switches
    tenant_id: str
    """For whom they were set; that tenant may be gone."""
    own: bool
    """They bind the API key that calls, and not only the account."""
    bound: bool = True
    """They are known to bind the account."""

    @property
    def whose(self) -> str:
        """Returns what they bind, for a sentence."""
        return "API key" if self.own else "account"


async def bonds_of(
    connection: AsyncConnection, environment: str, tenant_id: str, account_number: str
) -> Sequence[Bond]:
    """Returns all switches that bind an order of the tenant in the account."""
    here = exists().where(
        switch_accounts.c.tenant_id == switches.c.tenant_id,
        switch_accounts.c.environment == environment,
        switch_accounts.c.account_number == account_number,
    )
    accounts = select(switch_accounts.c.tenant_id).where(
        switch_accounts.c.environment == environment,
        switch_accounts.c.account_number == account_number,
    )
    query = select(switches, _own(tenant_id).label("own"), here.label("bound")).where(
        or_(_own(tenant_id), switches.c.tenant_id.in_(accounts))
    )
    return [
        Bond(switches=_from(row), tenant_id=row.tenant_id, own=bool(row.own), bound=bool(row.bound))
        for row in await connection.execute(query)
    ]


async def own_switches(connection: AsyncConnection, tenant_id: str) -> Switches | None:
    """Returns the switches that were set for a tenant, or for its API key before it was deleted."""
    query = select(switches).where(_own(tenant_id)).order_by(switches.c.tenant_id != tenant_id)
    row = (await connection.execute(query.limit(1))).one_or_none()
    return None if row is None else _from(row)


async def tenants_of(connection: AsyncConnection, beginning: str) -> Sequence[str]:
    """Returns the tenants with switches of their own whose ids begin so."""
    begins = switches.c.tenant_id.startswith(beginning, autoescape=True)
    found = await connection.execute(select(switches.c.tenant_id).where(begins))
    return [row.tenant_id for row in found]


async def accounts_of(
    connection: AsyncConnection, environment: str, tenant_id: str
) -> Sequence[str]:
    """Returns the accounts that a tenant's switches bind."""
    query = select(switch_accounts.c.account_number).where(
        switch_accounts.c.environment == environment, switch_accounts.c.tenant_id == tenant_id
    )
    return [row[0] for row in await connection.execute(query.order_by("account_number"))]


async def traded_in(connection: AsyncConnection, environment: str, tenant_id: str) -> Sequence[str]:
    """Returns the accounts that a tenant has traded in."""
    query = (
        select(journal.c.account_number)
        .distinct()
        .where(journal.c.environment == environment, journal.c.tenant_id == tenant_id)
    )
    return [row[0] for row in await connection.execute(query)]


async def put(connection: AsyncConnection, tenant_id: str, new: Switches, now: datetime) -> None:
    """Sets the switches of a tenant, in the place of all that bind its API key.

    The accounts stay bound, and those that the order journal knows of are bound as well.
    """
    query = select(tenants.c.key_digest).where(tenants.c.id == tenant_id)
    digest = await connection.scalar(query)
    if digest is None:  # of a tenant that is gone
        query = select(switches.c.key_digest).where(switches.c.tenant_id == tenant_id)
        digest = await connection.scalar(query)

    of_key = switches.c.tenant_id == tenant_id
    if digest is not None:
        of_key = or_(of_key, switches.c.key_digest == digest)

    found = await connection.execute(select(switches.c.tenant_id).where(of_key))
    older = {row.tenant_id for row in found}
    await connection.execute(delete(switches).where(of_key))
    await connection.execute(
        insert(switches).values(
            tenant_id=tenant_id,
            read_only=new.read_only,
            reduce_only=new.reduce_only,
            order_cap_cents=None if new.order_cap is None else cents(new.order_cap),
            day_cap_cents=None if new.day_cap is None else cents(new.day_cap),
            symbols=",".join(sorted(new.symbols)),
            updated_at=now,
            key_digest=digest,
        )
    )
    await _take_over_accounts(connection, tenant_id, older)


async def bind_accounts(
    connection: AsyncConnection, environment: str, tenant_id: str, accounts: Iterable[str]
) -> None:
    """Has the switches of a tenant bind accounts; those that they bind already stay bound."""
    rows = [
        {"environment": environment, "account_number": each, "tenant_id": tenant_id}
        for each in accounts
    ]
    await insert_missing(connection, switch_accounts, rows)


async def spent(
    connection: AsyncConnection, environment: str, day: date, bond: Bond | None, tenant_id: str
) -> Decimal:
    """Returns what orders of a day have committed that count under these switches.

    Those are all orders of the key and all in its accounts; without a bond, all of the server.
    """
    counted = select(journal.c.id, journal.c.notional_cents).where(
        journal.c.environment == environment,
        journal.c.day == day,
        journal.c.state.not_in(UNCOUNTED),
    )
    rows = counted.subquery()
    if bond is not None:
        whose = {bond.tenant_id} | ({tenant_id} if bond.own else set())
        bound = select(switch_accounts.c.account_number).where(
            switch_accounts.c.environment == environment,
            switch_accounts.c.tenant_id == bond.tenant_id,
        )
        # Not one query with an "or": each half finds its rows by an index of its own, and the other
        # tenants' orders of the day are not read. The union counts a row of both once.
        rows = union(
            counted.where(journal.c.tenant_id.in_(whose)),
            counted.where(journal.c.account_number.in_(bound)),
        ).subquery()

    query = select(func.coalesce(func.sum(rows.c.notional_cents), 0))
    return Decimal(int(await connection.scalar(query) or 0)) / 100


def cents(amount: Decimal) -> int:
    """Returns whole cents, rounded up, so that no cap is exceeded by a fraction."""
    return min(int((amount * 100).to_integral_value(ROUND_CEILING)), MOST_CENTS)


def symbols_from(text: str) -> frozenset[str]:
    """Returns the symbols in a comma-separated text."""
    return frozenset(name.strip().upper() for name in text.split(",") if name.strip())


async def _take_over_accounts(connection: AsyncConnection, tenant_id: str, older: set[str]) -> None:
    """Binds a tenant's switches to all accounts of the older ones: bound, or traded in before."""
    found = {
        (row[0], row[1])
        for table in (switch_accounts, journal)
        for row in await connection.execute(
            select(table.c.environment, table.c.account_number)
            .where(table.c.tenant_id.in_({tenant_id, *older}))
            .distinct()
        )
    }
    gone = switch_accounts.c.tenant_id.in_(older - {tenant_id})
    await connection.execute(delete(switch_accounts).where(gone))
    for environment, account_number in sorted(found):
        await bind_accounts(connection, environment, tenant_id, [account_number])


def _own(tenant_id: str) -> ColumnElement[bool]:
    digest = select(tenants.c.key_digest).where(tenants.c.id == tenant_id).scalar_subquery()
    return or_(switches.c.tenant_id == tenant_id, switches.c.key_digest == digest)


def _from(row: Row[Any]) -> Switches:
    return Switches(
        read_only=row.read_only,
        reduce_only=row.reduce_only,
        order_cap=None if row.order_cap_cents is None else Decimal(row.order_cap_cents) / 100,
        day_cap=None if row.day_cap_cents is None else Decimal(row.day_cap_cents) / 100,
        symbols=symbols_from(row.symbols),
    )
