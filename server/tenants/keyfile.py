"""Key material on disk: files that only the server's user may read, written whole or not at all.

Two processes may start at once on an empty folder: the one that comes second uses the first's key.
"""

from __future__ import annotations

__all__ = ["KeysUnusable", "decode_key", "load_or_make", "new_key", "read_private", "write_private"]

import base64
import binascii
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from server.errors import Misconfigured

KEY_BYTES = 32


class KeysUnusable(Misconfigured):
    """The pepper or a master key is missing, malformed or readable by others; says what to do."""


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
            f"{origin} must hold base64 of {KEY_BYTES} bytes; openssl rand -base64 32 makes one"
        )

    return key


def load_or_make(path: Path, *, make: bool, needed_by: str) -> str:
    """Returns what the file holds; where there is none, one with a single new key is made.

    With `make` false a missing file is refused: a new key could not open what `needed_by` holds.
    """
    if not path.exists():
        if not make:
            raise KeysUnusable(f"{path} is missing and {needed_by}; restore it from a backup")

        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _draft(path, new_key() + "\n") as draft, suppress(FileExistsError):
            os.link(draft, path)  # unlike a rename, it never replaces the file of a faster process

    return read_private(path)


def read_private(path: Path) -> str:
    """Returns the text, unless anyone but the owner may read or write the file."""
    try:
        mode = path.stat().st_mode & 0o777
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise KeysUnusable(f"{path} cannot be read ({type(error).__name__})") from None

    if mode & 0o077:
        raise KeysUnusable(f"{path} is open to others (mode {mode:o}); run: chmod 600 {path}")

    return text


def write_private(path: Path, text: str) -> None:
    """Replaces the file in one step: a crash leaves the old text or the new, never a part."""
    with _draft(path, text) as draft:
        draft.replace(path)


@contextmanager
def _draft(path: Path, text: str) -> Iterator[Path]:
    """Gives a complete, private copy to be named `path`, and makes that name last."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

        yield draft
    finally:
        draft.unlink(missing_ok=True)

    # The name must be on the disk before anything is encrypted with what it stands for.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
