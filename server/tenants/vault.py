"""Encrypts secrets so that they open only for the same owner, version and purpose.

Uses envelope encryption with AES-256-GCM: each save has its own data key, and the master key wraps
only that. Changing the master key therefore rewrites some 60 bytes of a row and no secret.
"""

from __future__ import annotations

__all__ = ["Envelope", "Place", "Unopenable", "Vault"]

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.tenants.keyring import Keyring

NONCE_BYTES = 12
TAG_BYTES = 16


class Unopenable(Exception):
    """Reports a secret that was altered, moved, is of another version, or has an unknown key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The place of a secret; it does not open anywhere else."""

    owner: str
    version: int

    def bound_to(self, purpose: str) -> bytes:
        """Returns the associated data: distinct for every owner, version and purpose."""
        parts = ("tasty-vault-1", purpose, self.owner, str(self.version))
        if any("\0" in part for part in parts):
            raise ValueError("a place has no NUL in its parts, or two places could be one")

        return "\0".join(parts).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Sealed secrets by purpose, with the wrapped data key that they share."""

    master_key_id: str
    wrapped_key: bytes = field(repr=False)
    sealed: Mapping[str, bytes] = field(repr=False)


class Vault:
    """Seals with the newest master key, opens with any that is known."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def seal(self, place: Place, secrets_by_purpose: Mapping[str, bytes]) -> Envelope:
        """Returns an envelope under a fresh data key."""
        master = self._keyring.newest
        data_key = secrets.token_bytes(32)
        cipher = AESGCM(data_key)
        return Envelope(
            master_key_id=master.id,
            wrapped_key=_encrypt(master.cipher, data_key, _wrapping(place, master.id)),
            sealed={
                purpose: _encrypt(cipher, secret, place.bound_to(purpose))
                for purpose, secret in secrets_by_purpose.items()
            },
        )

    def open(self, envelope: Envelope, place: Place, purpose: str) -> bytes:
        """Returns the secret, or raises `Unopenable`, which never says more than that."""
        cipher = AESGCM(self._data_key(envelope, place))
        return _decrypt(cipher, envelope.sealed[purpose], place.bound_to(purpose))

    def rewrap(self, envelope: Envelope, place: Place) -> Envelope:
        """Returns the same envelope under the newest master key; the secrets stay as they are."""
        master = self._keyring.newest
        data_key = self._data_key(envelope, place)
        wrapped = _encrypt(master.cipher, data_key, _wrapping(place, master.id))
        return replace(envelope, master_key_id=master.id, wrapped_key=wrapped)

    def _data_key(self, envelope: Envelope, place: Place) -> bytes:
        master = self._keyring.find(envelope.master_key_id)
        if master is None:
            raise Unopenable("its master key is not configured")

        data_key = _decrypt(
            master.cipher, envelope.wrapped_key, _wrapping(place, envelope.master_key_id)
        )
        if len(data_key) != 32:
            raise Unopenable("its data key is malformed")

        return data_key


def _wrapping(place: Place, master_key_id: str) -> bytes:
    return place.bound_to(f"data-key:{master_key_id}")


def _encrypt(cipher: AESGCM, plain: bytes, associated: bytes) -> bytes:
    # A random nonce is safe here: a data key seals two texts, a master key far fewer than 2^32.
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, associated)


def _decrypt(cipher: AESGCM, boxed: bytes, associated: bytes) -> bytes:
    if len(boxed) < NONCE_BYTES + TAG_BYTES:
        raise Unopenable("it is cut short")

    try:
        return cipher.decrypt(boxed[:NONCE_BYTES], boxed[NONCE_BYTES:], associated)
    except InvalidTag:
        raise Unopenable("it was altered, moved, or sealed by another key") from None
