"""The table of used tokens, as the code sees it; the migrations of `server.store` make it."""

from __future__ import annotations

__all__ = ["usage"]

from sqlalchemy import BigInteger, Column, Date, Index, String, Table

from server.store import METADATA

usage = Table(
    "model_usage",
    METADATA,
    Column("tenant_id", String(32), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("tokens", BigInteger, nullable=False),
    Index("ix_model_usage_day", "day"),
)
"""One row a tenant and day of New York: the tokens it has used, and those of calls that run."""
