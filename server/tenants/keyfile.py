"""Reads and writes key files, which only the server's user may read and which are never partial.

If two processes start at once on an empty folder, the second uses the first one's key.
"""

from __future__ import annotations

__all__ = ["KeysUnusable", "decode_key", "load_or_make", "new_key", "read_private", "write_private"]

import base64
import binascii
import os
import secrets
from contextlib import suppress
from pathlib import Path

from server.errors import StoreUnusable
from server.store.private_files import draft, write_private

KEY_BYTES = 32


class KeysUnusable(StoreUnusable):
    """Reports that the pepper or a master key is missing, malformed or readable by others."""


def new_key() -> str:
    """Returns a fresh random key as text."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def decode_key(text: str, origin: str) -> bytes:
    """Returns the bytes of a key written as base64, in either alphabet."""
    try:
        key = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        key = b""

    if len(key) != KEY_BYTES:
        raise KeysUnusable(
            f"{origin} must hold base64 of {KEY_BYTES} bytes. Restore it from a backup; for a new "
            "store only, openssl rand -base64 32 makes one"
        )

    return key


def load_or_make(path: Path, *, make: bool, needed_by: str) -> str:
    """Returns the text of the file; creates it with a single new key if it does not exist.

    With `make` false a missing file is refused: a new key could not open what `needed_by` holds.
    """
    try:
        there = path.exists()
        if not there and make:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with draft(path, new_key() + "\n") as made, suppress(FileExistsError):
                os.link(made, path)  # unlike a rename, it never replaces a faster process's file
    except OSError as error:
        raise KeysUnusable(
            f"{path} cannot be made ({error.strerror}); nothing else was changed. Make room, or "
            "let the server's user write in its folder, and start again"
        ) from error

    if not there and not make:
        raise KeysUnusable(f"{path} is missing and {needed_by}; restore it from a backup")

    return read_private(path)


def read_private(path: Path) -> str:
    """Returns the text, unless anyone but the owner may read or write the file."""
    try:
        mode = path.stat().st_mode & 0o777
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise KeysUnusable(
            f"{path} cannot be read ({why}). Let the server's user read it, or restore it from a "
            "backup"
        ) from None

    if mode & 0o077:
        raise KeysUnusable(f"{path} is open to others (mode {mode:o}); run: chmod 600 {path}")

    return text
