"""The two tables of tenants, as the code sees them; the migrations of `server.store` make them."""

from __future__ import annotations

__all__ = ["changes", "tenants"]

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, UniqueConstraint

from server.store import METADATA, Instant

tenants = Table(
    "tenants",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("generation", BigInteger, nullable=False),
    Column("key_digest", LargeBinary, nullable=False),
    Column("master_key_id", String(16), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("sealed_credentials", LargeBinary, nullable=False),
    Column("sealed_hint", LargeBinary, nullable=False),
    UniqueConstraint("key_digest"),
    Index("ix_tenants_master_key_id", "master_key_id"),  # how `keys rotate` finds what is left
)
"""One row a tenant, holding nothing that can be read without the master key."""

changes = Table(
    "tenant_changes",
    METADATA,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("environment", String(16), nullable=False),
    Column("tenant_id", String(32), nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("action", String(8), nullable=False),
    Column("key_digest", LargeBinary, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("mac", LargeBinary, nullable=False),
)
"""The journal (`server.tenants.journal`): appended to, never changed, gapless from 1."""
