"""The one database of the server: engine, transactions, migrations, and which store it is.

It has one table of its own, `store_identity`. Whoever keeps something (tenants, the order ledger)
declares its tables on `METADATA` in its own package and adds a numbered file to
`migrations/versions`; a test compares the two.
"""

from __future__ import annotations

__all__ = ["METADATA", "Admit", "Database", "DatabaseStatistics", "Instant", "StoreIdentity"]

from server.store.admission import Admit
from server.store.columns import METADATA, Instant
from server.store.database import Database, DatabaseStatistics
from server.store.identity import StoreIdentity
