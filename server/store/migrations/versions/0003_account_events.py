"""Account events: numbered, kept, and what was last told of each object."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "account_logs",
        sa.Column("environment", sa.String(16), nullable=False),
        sa.Column("account_number", sa.String(32), nullable=False),
        sa.Column("log_id", sa.String(8), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.Column("oldest", sa.BigInteger(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("environment", "account_number", name="pk_account_logs"),
    )
    op.create_table(
        "account_events",
        sa.Column("environment", sa.String(16), nullable=False),
        sa.Column("account_number", sa.String(32), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_time", sa.DateTime(timezone=True)),
        sa.Column("recovered", sa.Boolean(), nullable=False),
        sa.Column("fill_id", sa.String(64)),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "environment", "account_number", "sequence", name="pk_account_events"
        ),
    )
    op.create_index("ix_account_events_received_at", "account_events", ["received_at"])
    op.create_table(
        "account_objects",
        sa.Column("environment", sa.String(16), nullable=False),
        sa.Column("account_number", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(96), nullable=False),
        sa.Column("stamp", sa.BigInteger(), nullable=False),
        sa.Column("digests", sa.Text(), nullable=False),
        sa.Column("fills", sa.Text(), nullable=False),
        sa.Column("working", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(
            "environment", "account_number", "kind", "name", name="pk_account_objects"
        ),
    )


def downgrade() -> None:
    raise NotImplementedError("events that clients may still ask for are not thrown away")
