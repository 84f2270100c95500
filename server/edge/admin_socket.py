"""Finds a place for the Unix socket of Envoy's admin pages.

Whoever reaches those pages can drain the edge, and a port on loopback is reached by every local
process and by every web page that a person on this machine visits. A socket in a folder that only
its owner may enter is not.
"""

from __future__ import annotations

__all__ = ["admin_socket"]

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

PRIVATE = 0o700
NAME = "admin.sock"


@contextmanager
def admin_socket(folder: Path) -> Iterator[Path]:
    """Yields a path that a socket can be bound to, and takes away what is there afterwards.

    It lies in `folder`, which becomes private. Where that does not do (a path of more than 107
    bytes, a file system without sockets, another gateway that runs from the same folder), it lies
    in a private folder of its own for as long as the block lasts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(PRIVATE)
    wanted = folder / NAME
    if _is_usable(wanted):
        try:
            yield wanted
        finally:
            wanted.unlink(missing_ok=True)

        return

    with TemporaryDirectory(prefix="tasty-") as other:  # made with mode 0700
        yield Path(other, NAME)


def _is_usable(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as one:
        try:
            one.connect(str(path))
        except OSError:
            pass  # nobody is there: at most what a killed gateway left
        else:
            return False

    with socket.socket(socket.AF_UNIX) as one:
        try:
            path.unlink(missing_ok=True)
            one.bind(str(path))
            path.unlink()
        except OSError:
            return False

    return True
