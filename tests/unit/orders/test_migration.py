"""The step to limits that bind keys and accounts: what an older database keeps."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

import server.store.migrations as migrations
from server.orders.model.schema import restored_accounts, switch_accounts, switches
from server.settings import Settings
from server.store import METADATA, Database

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ROW: dict[str, Any] = {
    "environment": "production",
    "kind": "place",
    "digest": "d",
    "state": "accepted",
    "day": date(2026, 11, 20),
    "notional_cents": 100,
    "request": "{}",
    "looks": 0,
    "recorded_at": NOW,
}


async def test_what_was_traded_before_is_bound_and_known(database_settings: Settings) -> None:
    async with Database(database_settings) as database, database.write() as connection:
        await connection.run_sync(METADATA.drop_all)
        await connection.execute(sa.text("DROP TABLE alembic_version"))
        await connection.run_sync(_to, "0003")
        old = sa.MetaData()
        await connection.run_sync(lambda sync: old.reflect(sync))
        await connection.execute(
            sa.insert(old.tables["tenants"]).values(
                id="anna",
                generation=1,
                key_digest=b"digest",
                master_key_id="k",
                wrapped_key=b"",
                sealed_credentials=b"",
                sealed_hint=b"",
            )
        )
        for tenant in ("anna", "gone"):
            await connection.execute(
                sa.insert(old.tables["risk_switches"]).values(
                    tenant_id=tenant, read_only=False, symbols="", updated_at=NOW
                )
            )

        for number, (tenant, account) in enumerate(
            [("anna", "A1"), ("anna", "A1"), ("anna", "A2"), ("ben", "B1")]
        ):
            await connection.execute(
                sa.insert(old.tables["order_ledger"]).values(
                    **ROW,
                    id=f"{number}",
                    account_number=account,
                    client_order_id=f"name-{number}",
                    tenant_id=tenant,
                )
            )

        await connection.run_sync(migrations.take_missing_steps)
        bound = await connection.execute(sa.select(switch_accounts))
        assert {(row.tenant_id, row.account_number) for row in bound} == {
            ("anna", "A1"),
            ("anna", "A2"),
        }
        kept = await connection.execute(sa.select(switches))
        assert {(row.tenant_id, row.key_digest, row.reduce_only) for row in kept} == {
            ("anna", b"digest", False),
            ("gone", None, False),
        }
        known = await connection.execute(sa.select(restored_accounts.c.account_number))
        assert sorted(row[0] for row in known) == ["A1", "A2", "B1"]


def _to(connection: sa.Connection, step: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations._FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, step)
