"""Holds the pepper, a secret outside the database, and derives keys from it.

It cannot be rotated, because the digests of API keys depend on it and the keys themselves are not
stored.
"""

from __future__ import annotations

__all__ = ["PEPPER_FILE", "Pepper"]

import hmac
from typing import NoReturn, Self

from server.settings import Settings
from server.store.keyfolder import PEPPER_FILE
from server.tenants.keyfile import decode_key, load_or_make


class Pepper:
    """Derives the keys for hashing API keys and for sealing the journal.

    `check` is no key: the database keeps it, so that it opens with no other pepper.
    """

    __slots__ = ("check", "digest_key", "journal_key")

    def __init__(self, secret: bytes) -> None:
        self.digest_key = hmac.digest(secret, b"tasty api key digest", "sha256")
        self.journal_key = hmac.digest(secret, b"tasty tenant journal", "sha256")
        self.check = hmac.digest(secret, b"tasty store check", "sha256")

    @classmethod
    def load(cls, settings: Settings, *, make: bool) -> Self:
        """Reads the setting or the file; `make` permits a new file (no key is registered yet)."""
        given = settings.pepper.get_secret_value()
        if given:
            return cls(decode_key(given, "TASTY_PEPPER"))

        path = settings.data_dir / PEPPER_FILE
        text = load_or_make(path, make=make, needed_by="the database holds keys hashed with it")
        return cls(decode_key(text, str(path)))

    def __repr__(self) -> str:
        return "Pepper('***')"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a pepper does not leave its process")
