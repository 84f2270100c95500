"""Writes the used names of an account that were found in the broker's history, and reads them.

Statements only: each function works in the transaction of its caller.
"""

from __future__ import annotations

__all__ = ["Restored", "adopt", "restore", "restored_at"]

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import NEW_YORK
from server.orders.model.schema import journal, restored_accounts
from server.orders.submitting.insert_or_ignore import insert_missing
from server.orders.submitting.journal import Entry, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A used name, as far as the broker's history tells."""

    client_order_id: str
    kind: str
    """`place`, `replace` or `complex`."""
    order_id: str
    """Of a complex order the number of the whole."""
    target_id: str | None
    """The order that was replaced."""
    received_at: datetime


async def restored_at(
    connection: AsyncConnection, environment: str, account_number: str
) -> datetime | None:
    """Returns when an account's used names were all in the journal; None if they never were."""
    query = select(restored_accounts.c.restored_at).where(_account(environment, account_number))
    found: datetime | None = await connection.scalar(query)
    return found


async def restore(
    connection: AsyncConnection,
    environment: str,
    account_number: str,
    tenant_id: str,
    names: Iterable[Restored],
    now: datetime,
) -> int:
    """Notes the names as used, and that those of the account are complete; known ones stay.

    Returns how many were not known.
    """
    rows: list[dict[str, Any]] = [
        {
            "id": uuid4().hex,
            "environment": environment,
            "account_number": account_number,
            "client_order_id": each.client_order_id,
            "tenant_id": tenant_id,
            "kind": each.kind,
            "digest": "",
            "state": State.RESTORED.value,
            "day": each.received_at.astimezone(NEW_YORK).date(),
            "notional_cents": 0,
            "target_id": each.target_id,
            "request": "{}",
            "order_id": each.order_id,
            "looks": 0,
            "recorded_at": each.received_at,
            "sent_at": each.received_at,
            "settled_at": now,
        }
        for each in names
    ]
    await insert_missing(connection, journal, rows)
    await _take_back(
        connection, environment, account_number, {row["client_order_id"]: row for row in rows}
    )
    account = {"environment": environment, "account_number": account_number, "restored_at": now}
    await insert_missing(connection, restored_accounts, [account])
    mine = _account(environment, account_number)
    await connection.execute(update(restored_accounts).where(mine).values(restored_at=now))
    new = select(func.count()).where(
        journal.c.environment == environment,
        journal.c.account_number == account_number,
        journal.c.state == State.RESTORED.value,
    )
    return int(await connection.scalar(new) or 0)


async def adopt(
    connection: AsyncConnection,
    entry: Entry,
    digest: str,
    request: Mapping[str, Any],
    answer: Mapping[str, Any],
) -> None:
    """Binds a restored name to the request that has been found to be its own, with its answer."""
    mine = journal.c.id == entry.id
    await connection.execute(
        update(journal)
        .where(mine, journal.c.state == State.RESTORED.value)
        .values(
            state=State.ACCEPTED.value,
            digest=digest,
            request=json.dumps(request),
            answer=json.dumps(answer),
        )
    )


async def _take_back(
    connection: AsyncConnection,
    environment: str,
    account_number: str,
    rows: Mapping[str, Mapping[str, Any]],
) -> None:
    """Corrects rows that say "not sent" of a name that the broker has: an older copy says so."""
    query = select(journal.c.id, journal.c.client_order_id).where(
        journal.c.environment == environment,
        journal.c.account_number == account_number,
        journal.c.state == State.UNSENT.value,
    )
    for unsent in (await connection.execute(query)).all():
        row = rows.get(unsent.client_order_id)
        if row is None:
            continue

        known = {name: row[name] for name in ("kind", "state", "order_id", "target_id")}
        await connection.execute(update(journal).where(journal.c.id == unsent.id).values(known))


def _account(environment: str, account_number: str) -> ColumnElement[bool]:
    return and_(
        restored_accounts.c.environment == environment,
        restored_accounts.c.account_number == account_number,
    )
