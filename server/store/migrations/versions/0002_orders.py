"""Orders: the ledger of everything sent, and risk switches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "order_ledger",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("environment", sa.String(16), nullable=False),
        sa.Column("account_number", sa.String(32), nullable=False),
        sa.Column("client_order_id", sa.String(64), nullable=False),
        sa.Column("tenant_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("notional_cents", sa.BigInteger(), nullable=False),
        sa.Column("target_id", sa.String(32)),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("order_id", sa.String(32)),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("first_look_at", sa.DateTime(timezone=True)),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_order_ledger"),
        sa.UniqueConstraint(
            "environment",
            "account_number",
            "client_order_id",
            name="uq_order_ledger_environment_account_number_client_order_id",
        ),
    )
    op.create_index("ix_order_ledger_state", "order_ledger", ["state"])
    op.create_index("ix_order_ledger_day", "order_ledger", ["day", "tenant_id"])
    op.create_index("ix_order_ledger_target_id", "order_ledger", ["account_number", "target_id"])
    op.create_table(
        "risk_switches",
        sa.Column("tenant_id", sa.String(32), nullable=False),
        sa.Column("read_only", sa.Boolean(), nullable=False),
        sa.Column("order_cap_cents", sa.BigInteger()),
        sa.Column("day_cap_cents", sa.BigInteger()),
        sa.Column("symbols", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_risk_switches"),
    )


def downgrade() -> None:
    raise NotImplementedError("what was sent is not forgotten by a migration")
