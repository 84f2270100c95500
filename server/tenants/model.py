"""Defines tenants and their credentials for the rest of the server.

A tenant is identified by its id, in logs and tables. The API key is known only as a digest.
"""

from __future__ import annotations

__all__ = ["ApiKeyEntry", "ApiKeyPage", "Credentials", "Tenant"]

from dataclasses import dataclass, field
from datetime import datetime

from server.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A tenant as of one moment."""

    id: str
    """Random and never used again, not even for the same API key registered anew."""

    generation: int
    """Grows with each save of credentials; sessions opened with an older one are out of date."""

    address: str = field(default="", compare=False, repr=False)
    """Where the call came from, for the budget of refused logins. Empty where nobody calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The secrets with which a tenant logs in at the broker."""

    client_secret: Secret
    refresh_token: Secret
    generation: int = 0
    """The generation that these are of (0 before they are saved): newer than that of the `Tenant`
    they were asked with, where a save came in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyEntry:
    """A registered API key for display."""

    shown: str
    """The masked key, such as `dem…key`."""

    configured: bool
    """False when what is stored for the key cannot be read (another master key, or altered)."""

    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyPage:
    """A page of the registered API keys, oldest first."""

    entries: tuple[ApiKeyEntry, ...]
    total: int
    """How many there are on all pages."""

    after: int | None
    """Where the next page begins; None on the last."""
