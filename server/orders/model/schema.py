"""The tables of orders, as the code sees them; the migrations of `server.store` make them."""

from __future__ import annotations

__all__ = [
    "account_events",
    "account_logs",
    "account_objects",
    "journal",
    "restored_accounts",
    "switch_accounts",
    "switches",
]

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from server.store import METADATA, Instant

journal = Table(
    "order_ledger",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("environment", String(16), nullable=False),
    Column("account_number", String(32), nullable=False),
    Column("client_order_id", String(64), nullable=False),
    Column("tenant_id", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("day", Date, nullable=False),
    Column("notional_cents", BigInteger, nullable=False),
    Column("target_id", String(32)),
    Column("request", Text, nullable=False),
    Column("answer", Text),
    Column("order_id", String(32)),
    Column("looks", Integer, nullable=False),
    Column("first_look_at", Instant),
    Column("recorded_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("settled_at", Instant),
    UniqueConstraint("environment", "account_number", "client_order_id"),
    Index("ix_order_ledger_state", "state"),
    Index("ix_order_ledger_day", "day", "tenant_id"),
    Index("ix_order_ledger_day_account", "day", "account_number"),
    Index("ix_order_ledger_target_id", "account_number", "target_id"),
)
"""One row a change that was to be sent; written before it is, and never deleted."""

switches = Table(
    "risk_switches",
    METADATA,
    Column("tenant_id", String(32), primary_key=True),
    Column("read_only", Boolean, nullable=False),
    Column("order_cap_cents", BigInteger),
    Column("day_cap_cents", BigInteger),
    Column("symbols", Text, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("reduce_only", Boolean, nullable=False, server_default=false()),
    Column("key_digest", LargeBinary),
    Index("ix_risk_switches_key_digest", "key_digest"),
)
"""One row a tenant that has switches of its own. The digest of its API key binds whoever registers
that key again; it is not known of a tenant that was gone when the column was added."""

switch_accounts = Table(
    "risk_switch_accounts",
    METADATA,
    Column("environment", String(16), primary_key=True),
    Column("account_number", String(32), primary_key=True),
    Column("tenant_id", String(32), primary_key=True),
    Index("ix_risk_switch_accounts_tenant_id", "tenant_id"),
)
"""The accounts that the switches of a tenant bind, whoever trades in them."""

restored_accounts = Table(
    "restored_accounts",
    METADATA,
    Column("environment", String(16), primary_key=True),
    Column("account_number", String(32), primary_key=True),
    Column("restored_at", Instant, nullable=False),
)
"""The accounts whose used names are all in the order journal, as far back as they were read."""

account_logs = Table(
    "account_logs",
    METADATA,
    Column("environment", String(16), primary_key=True),
    Column("account_number", String(32), primary_key=True),
    Column("log_id", String(8), nullable=False),
    Column("newest", BigInteger, nullable=False),
    Column("oldest", BigInteger, nullable=False),
    Column("checked_at", Instant),
)
"""One row an account that is followed: the number of its newest event, and from where they are
kept."""

account_events = Table(
    "account_events",
    METADATA,
    Column("environment", String(16), primary_key=True),
    Column("account_number", String(32), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("event_time", Instant),
    Column("recovered", Boolean, nullable=False),
    Column("fill_id", String(64)),
    Column("body", Text, nullable=False),
    Index("ix_account_events_received_at", "received_at"),
)
"""The events, numbered from 1 in each account, without gaps."""

account_objects = Table(
    "account_objects",
    METADATA,
    Column("environment", String(16), primary_key=True),
    Column("account_number", String(32), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("name", String(96), primary_key=True),
    Column("stamp", BigInteger, nullable=False),
    Column("digests", Text, nullable=False),
    Column("fills", Text, nullable=False),
    Column("working", Boolean, nullable=False),
)
"""The last known states of each order, position and balance, so that none makes a second event."""
