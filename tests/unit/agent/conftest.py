"""Stores of both kinds for what the agent counts."""

from __future__ import annotations

from tests.databases import database_settings, postgres

__all__ = ["database_settings", "postgres"]
