"""Holds the master keys, newest first: the first one seals, all of them open.

The id of a key is computed from the key, so it is the same at any place in the list and in any
process. A key file has one key per line.
"""

from __future__ import annotations

__all__ = ["KEY_FILE", "Keyring", "MasterKey"]

import hmac
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.settings import Settings
from server.store.keyfolder import KEY_FILE
from server.tenants.keyfile import (
    KeysUnusable,
    decode_key,
    load_or_make,
    new_key,
    read_private,
    write_private,
)


class MasterKey:
    """Wraps the data keys of tenants; prints its id, never the key."""

    __slots__ = ("cipher", "id")

    def __init__(self, key: bytes) -> None:
        self.id = hmac.digest(key, b"tasty master key id", "sha256")[:8].hex()
        self.cipher = AESGCM(key)

    def __repr__(self) -> str:
        return f"MasterKey({self.id})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a master key does not leave its process")


class Keyring:
    """Holds the master keys of the setting, or those of the key file, which it can change.

    Keys once read stay known until the process ends: a row that was read a moment before a
    rotation retired its key still opens. Methods touch the file and block for a moment.
    """

    def __init__(self, keys: Iterable[MasterKey], path: Path | None) -> None:
        self._order = tuple(keys)
        self._known = {key.id: key for key in self._order}
        self._path = path
        self._seen = _stamp(path)

    @classmethod
    def load(cls, settings: Settings, *, make: bool) -> Self:
        """Reads the keys; `make` permits creating a key file, if nothing is sealed yet."""
        given = settings.master_key.get_secret_value()
        if given:
            return cls(_parsed(given.split(","), "TASTY_MASTER_KEY"), None)

        path = settings.data_dir / KEY_FILE
        text = load_or_make(path, make=make, needed_by="the database holds sealed credentials")
        return cls(_parsed(text.split("\n"), str(path)), path)

    @property
    def path(self) -> Path | None:
        """The key file; None where the keys come from the setting."""
        return self._path

    @property
    def newest(self) -> MasterKey:
        """The key that seals."""
        return self._order[0]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the configured keys, newest first."""
        return tuple(key.id for key in self._order)

    def find(self, key_id: str) -> MasterKey | None:
        """Returns the key of that id; reads a changed key file again before it gives up."""
        if key_id not in self._known:
            self.refresh()

        return self._known.get(key_id)

    def refresh(self) -> None:
        """Reads the key file again if another process has changed it."""
        if self._path is not None and _stamp(self._path) != self._seen:
            self._read()

    def add(self) -> MasterKey:
        """Adds a new key in front; it is on disk when this returns."""
        return self._write([new_key(), *self._lines()])

    def retire(self) -> None:
        """Removes all keys but the newest from the file."""
        self._write(self._lines()[:1])

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self.ids)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a keyring does not leave its process")

    def _lines(self) -> list[str]:
        return [line for line in read_private(self._file()).split("\n") if line.strip()]

    def _write(self, lines: list[str]) -> MasterKey:
        write_private(self._file(), "\n".join(lines) + "\n")
        self._read()
        return self.newest

    def _read(self) -> None:
        # The stamp first: a change that comes between the two is then seen the next time.
        stamp = _stamp(self._path)
        self._order = tuple(_parsed(self._lines(), str(self._path)))
        self._known.update((key.id, key) for key in self._order)
        self._seen = stamp

    def _file(self) -> Path:
        if self._path is None:
            raise KeysUnusable(
                "the master keys come from TASTY_MASTER_KEY; put the new key first there"
            )

        return self._path


def _parsed(texts: Iterable[str], origin: str) -> list[MasterKey]:
    keys = [MasterKey(decode_key(text, origin)) for text in texts if text.strip()]
    if not keys:
        raise KeysUnusable(f"{origin} holds no key")

    return keys


def _stamp(path: Path | None) -> tuple[int, ...]:
    """Identifies the version of the file; each version is a new file."""
    try:
        status = None if path is None else path.stat()
    except OSError:
        status = None

    return () if status is None else (status.st_ino, status.st_mtime_ns, status.st_size)
