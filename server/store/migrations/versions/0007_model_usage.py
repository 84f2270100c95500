"""Tokens of the operator's model that each tenant used, by day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "model_usage",
        sa.Column("tenant_id", sa.String(32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "day", name="pk_model_usage"),
    )
    op.create_index("ix_model_usage_day", "model_usage", ["day"])


def downgrade() -> None:
    raise NotImplementedError("what was used today is not forgotten")
