"""What Alembic runs: it is handed a connection that is inside a transaction already.

There is no alembic.ini and no offline mode: the server migrates its own database when it opens it.
"""

from __future__ import annotations

from alembic import context

from server.store.columns import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,  # SQLite has it too, once its driver's guessing is off
    render_as_batch=True,  # SQLite cannot alter a column in place
)
context.run_migrations()
