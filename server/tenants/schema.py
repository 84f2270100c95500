"""Declares the tables of tenants and their logins; the migrations create them."""

from __future__ import annotations

__all__ = ["attempts", "changes", "checkpoints", "standings", "tenants"]

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

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
"""One row per tenant; nothing in it can be read without the master key."""

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
"""The journal (`server.tenants.journal`): appended to, never changed, gapless.

It begins at 1, or at the entry that the checkpoint was made at."""

checkpoints = Table(
    "tenant_checkpoints",
    METADATA,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("before", LargeBinary, nullable=False),
    Column("roster", LargeBinary, nullable=False),
    Column("mac", LargeBinary, nullable=False),
)
"""At most one row (`server.tenants.checkpoint`): what the entries before `sequence` came to."""

attempts = Table(
    "login_attempts",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("environment", String(16), nullable=False),
    Column("tenant_id", String(32), nullable=False),
    Column("address", LargeBinary, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("standing", String(8), nullable=False),
    Column("outcome", String(8), nullable=False),
    Index("ix_login_attempts_begun_at", "begun_at"),
)
"""Logins that the broker refused, or is being asked about (`server.tenants.logins`)."""

standings = Table(
    "login_standings",
    METADATA,
    Column("environment", String(16), primary_key=True),
    Column("tenant_id", String(32), primary_key=True),
    Column("worked_generation", BigInteger),
    Column("refused_generation", BigInteger),
    Column("refused_words", Text, nullable=False),
)
"""Which credentials of a tenant the broker accepted last, and which it refused last."""
