"""Opens the server's database: engine, transactions, migrations, and the identity of the store.

Its only own table is `store_identity`. Other packages (tenants, the order journal) declare their
tables on `METADATA` and add a numbered file to `migrations/versions`; a test compares the two.
"""

from __future__ import annotations

__all__ = ["METADATA", "Admit", "Database", "DatabaseStatistics", "Instant", "StoreIdentity"]

from server.store.admission import Admit
from server.store.columns import METADATA, Instant
from server.store.database import Database, DatabaseStatistics
from server.store.identity import StoreIdentity
