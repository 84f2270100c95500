"""Packs a tenant's secrets into a row of sealed columns, and unpacks them.

Even the masked key is sealed, because six characters of a short key are most of it.
"""

from __future__ import annotations

__all__ = ["Hint", "credentials_of", "envelope_of", "hint_of", "pack"]

import json
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row

from server.secret import Secret
from server.tenants.apikeys import SHOWN, mask
from server.tenants.model import Credentials, Tenant
from server.tenants.vault import Envelope, Place, Vault

CREDENTIALS = "credentials"
HINT = "hint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """The parts of an API key that are kept for showing it masked."""

    start: str
    end: str
    length: int

    def masked(self, *, own: bool) -> str:
        """Returns the mask; see `server.tenants.apikeys.mask`."""
        return mask(self.start, self.end, self.length, own=own)


def pack(
    vault: Vault, tenant: Tenant, api_key: Secret, key_digest: bytes, credentials: Credentials
) -> dict[str, Any]:
    """Returns the columns of the tenant's row."""
    key = api_key.reveal()
    hint = Hint(start=key[:SHOWN], end=key[-SHOWN:], length=len(key))
    secrets = {
        "client_secret": credentials.client_secret.reveal(),
        "refresh_token": credentials.refresh_token.reveal(),
    }
    envelope = vault.seal(
        _place(tenant),
        {CREDENTIALS: json.dumps(secrets).encode(), HINT: json.dumps(asdict(hint)).encode()},
    )
    return {
        "id": tenant.id,
        "generation": tenant.generation,
        "key_digest": key_digest,
        "master_key_id": envelope.master_key_id,
        "wrapped_key": envelope.wrapped_key,
        "sealed_credentials": envelope.sealed[CREDENTIALS],
        "sealed_hint": envelope.sealed[HINT],
    }


def credentials_of(vault: Vault, row: Row[Any]) -> Credentials:
    """Returns what the row seals, or raises `Unopenable`."""
    found = json.loads(vault.open(envelope_of(row), place_of(row), CREDENTIALS))
    return Credentials(
        client_secret=Secret(found["client_secret"]),
        refresh_token=Secret(found["refresh_token"]),
        generation=row.generation,
    )


def hint_of(vault: Vault, row: Row[Any]) -> Hint:
    """Returns what may be shown of the API key, or raises `Unopenable`."""
    return Hint(**json.loads(vault.open(envelope_of(row), place_of(row), HINT)))


def envelope_of(row: Row[Any]) -> Envelope:
    """Returns the sealed columns of a row."""
    return Envelope(
        master_key_id=row.master_key_id,
        wrapped_key=row.wrapped_key,
        sealed={CREDENTIALS: row.sealed_credentials, HINT: row.sealed_hint},
    )


def place_of(row: Row[Any]) -> Place:
    """Returns where a row's secrets belong."""
    return Place(owner=row.id, version=row.generation)


def _place(tenant: Tenant) -> Place:
    return Place(owner=tenant.id, version=tenant.generation)
