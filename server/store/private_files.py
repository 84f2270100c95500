"""Small files that only the server's user may read, written whole or not at all."""

from __future__ import annotations

__all__ = ["draft", "write_private"]

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Replaces the file in one step: a crash leaves the old text or the new, never a part."""
    with draft(path, text) as written:
        written.replace(path)


@contextmanager
def draft(path: Path, text: str) -> Iterator[Path]:
    """Gives a complete, private copy to be named `path`, and makes that name last."""
    written = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(written, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

        yield written
    finally:
        written.unlink(missing_ok=True)

    # The name must be on the disk before anything depends on what it stands for.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
