"""Which store this is: its id, what its keys are recognised by, and since when it is complete."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "store_identity",
        sa.Column("store_id", sa.String(32), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("complete_since", sa.DateTime(timezone=True)),
        sa.Column("pepper_check", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("store_id", name="pk_store_identity"),
    )


def downgrade() -> None:
    raise NotImplementedError("a store without its id could be taken for a new one")
