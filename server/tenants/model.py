"""What the rest of the server knows of a tenant: who calls, and what opens the broker for them.

A tenant is not its API key: the key is only ever seen as a digest, the id is in logs and tables.
"""

from __future__ import annotations

__all__ = ["ApiKeyEntry", "ApiKeyPage", "Credentials", "Tenant"]

from dataclasses import dataclass, field
from datetime import datetime

from server.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Someone who may call, as of one moment."""

    id: str
    """Random and never used again, not even for the same API key registered anew."""

    generation: int
    """Grows with each save of credentials; what was opened with an older one is out of date."""

    address: str = field(default="", compare=False, repr=False)
    """Where the call came from, for the budget of refused logins. Empty where nobody calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the broker knows a tenant by."""

    client_secret: Secret
    refresh_token: Secret
    generation: int = 0
    """The generation that these are of (0 before they are saved): newer than that of the `Tenant`
    they were asked with, where a save came in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyEntry:
    """One registered API key as far as it may be shown."""

    shown: str
    """The masked key, such as `dem…key`."""

    configured: bool
    """False when what is stored for the key cannot be read (another master key, or altered)."""

    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyPage:
    """A part of the registered API keys, oldest first."""

    entries: tuple[ApiKeyEntry, ...]
    total: int
    """How many there are on all pages."""

    after: int | None
    """Where the next page begins; None on the last."""
