"""Risk switches bind keys and accounts; accounts whose used names are known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index("ix_order_ledger_day_account", "order_ledger", ["day", "account_number"])
    op.add_column(
        "risk_switches",
        sa.Column("reduce_only", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("risk_switches", sa.Column("key_digest", sa.LargeBinary()))
    op.create_index("ix_risk_switches_key_digest", "risk_switches", ["key_digest"])
    op.create_table(
        "risk_switch_accounts",
        sa.Column("environment", sa.String(16), nullable=False),
        sa.Column("account_number", sa.String(32), nullable=False),
        sa.Column("tenant_id", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint(
            "environment", "account_number", "tenant_id", name="pk_risk_switch_accounts"
        ),
    )
    op.create_index("ix_risk_switch_accounts_tenant_id", "risk_switch_accounts", ["tenant_id"])
    op.create_table(
        "restored_accounts",
        sa.Column("environment", sa.String(16), nullable=False),
        sa.Column("account_number", sa.String(32), nullable=False),
        sa.Column("restored_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("environment", "account_number", name="pk_restored_accounts"),
    )
    op.execute(
        "UPDATE risk_switches SET key_digest = "
        "(SELECT key_digest FROM tenants WHERE tenants.id = risk_switches.tenant_id)"
    )
    op.execute(
        "INSERT INTO risk_switch_accounts (environment, account_number, tenant_id) "
        "SELECT DISTINCT environment, account_number, tenant_id FROM order_ledger "
        "WHERE tenant_id IN (SELECT tenant_id FROM risk_switches)"
    )
    # What was sent before this step is in the ledger: nothing has to be read from the broker.
    op.execute(
        "INSERT INTO restored_accounts (environment, account_number, restored_at) "
        "SELECT environment, account_number, MIN(recorded_at) FROM order_ledger "
        "GROUP BY environment, account_number"
    )


def downgrade() -> None:
    raise NotImplementedError("limits that the operator set are not lifted by a migration")
