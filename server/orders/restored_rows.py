"""Writes what the broker's history tells of names that an account has used, and reads it again.

Statements only: each function works in the transaction of its caller.
"""

from __future__ import annotations

__all__ = ["Restored", "adopt", "is_restored", "restore"]

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import NEW_YORK
from server.orders.inserting import insert_missing
from server.orders.ledger import Entry, State
from server.orders.schema import ledger, restored_accounts


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


async def is_restored(connection: AsyncConnection, environment: str, account_number: str) -> bool:
    """Whether an account's used names are all in the ledger."""
    query = select(restored_accounts.c.restored_at).where(
        restored_accounts.c.environment == environment,
        restored_accounts.c.account_number == account_number,
    )
    return await connection.scalar(query) is not None


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
    rows = [
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
    await insert_missing(connection, ledger, rows)
    account = {"environment": environment, "account_number": account_number, "restored_at": now}
    await insert_missing(connection, restored_accounts, [account])
    new = select(func.count()).where(
        ledger.c.environment == environment,
        ledger.c.account_number == account_number,
        ledger.c.state == State.RESTORED.value,
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
    mine = ledger.c.id == entry.id
    await connection.execute(
        update(ledger)
        .where(mine, ledger.c.state == State.RESTORED.value)
        .values(
            state=State.ACCEPTED.value,
            digest=digest,
            request=json.dumps(request),
            answer=json.dumps(answer),
        )
    )
