"""Logins that the broker refused, which grants have worked, and the checkpoint of the journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "login_attempts",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("environment", sa.String(16), nullable=False),
        sa.Column("tenant_id", sa.String(32), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("standing", sa.String(8), nullable=False),
        sa.Column("outcome", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_login_attempts"),
    )
    op.create_index("ix_login_attempts_begun_at", "login_attempts", ["begun_at"])
    op.create_table(
        "login_standings",
        sa.Column("environment", sa.String(16), nullable=False),
        sa.Column("tenant_id", sa.String(32), nullable=False),
        sa.Column("worked_generation", sa.BigInteger()),
        sa.Column("refused_generation", sa.BigInteger()),
        sa.Column("refused_words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("environment", "tenant_id", name="pk_login_standings"),
    )
    op.create_table(
        "tenant_checkpoints",
        sa.Column("sequence", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("before", sa.LargeBinary(), nullable=False),
        sa.Column("roster", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_tenant_checkpoints"),
    )
    # Whoever is a tenant at the upgrade is taken to have a grant that works: none of them is to
    # wait behind the others for the few logins that untried credentials get.
    op.execute(
        "INSERT INTO login_standings (environment, tenant_id, worked_generation, refused_words) "
        "SELECT c.environment, t.id, t.generation, '' FROM tenants t JOIN tenant_changes c "
        "ON c.tenant_id = t.id AND c.generation = t.generation AND c.action = 'saved'"
    )


def downgrade() -> None:
    raise NotImplementedError("refused logins that are still counted are not thrown away")
