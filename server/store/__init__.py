"""The one database of the server: engine, transactions, migrations; it knows no table of its own.

Whoever keeps something (tenants today, the order ledger later) declares its tables on `METADATA`
in its own package and adds a numbered file to `migrations/versions`; a test compares the two.
"""

from __future__ import annotations

__all__ = ["METADATA", "Database", "DatabaseStatistics", "Instant"]

from server.store.columns import METADATA, Instant
from server.store.database import Database, DatabaseStatistics
