"""Reads from the folder of the keys whether a database was created with them, and which one.

A new database is created automatically only together with new keys. If keys exist, as files or as
settings, there was a database too, and its absence means that it is lost.
"""

from __future__ import annotations

__all__ = ["KEY_FILE", "MARK_FILE", "PEPPER_FILE", "Evidence", "Mark", "leave_mark", "look"]

import logging
from dataclasses import dataclass
from pathlib import Path

from server.errors import StoreUnusable
from server.settings import Settings
from server.store.private_files import write_private

logger = logging.getLogger(__name__)

KEY_FILE = "master.key"
"""Name of the file with the master keys in the data directory."""

PEPPER_FILE = "pepper.key"
"""Name of the file with the pepper."""

MARK_FILE = "store.id"
"""Name of the file that says which database was last used with the keys; no secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What the key folder knows about the database."""

    store_id: str
    opened: int
    """How often the database had been opened when this was written: it cannot be less now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What an earlier start has left."""

    known_by: tuple[str, ...]
    """Files and settings that are there only if a database was begun; empty at the very first."""

    mark: Mark | None
    """None before the first start, and where no key is in a file."""


def look(settings: Settings) -> Evidence:
    """Returns the evidence; read it before the database, never after.

    Another process that starts at the same moment makes the database first and then these: whoever
    sees them will find that database too.
    """
    given = {
        "TASTY_MASTER_KEY": (settings.master_key, KEY_FILE),
        "TASTY_PEPPER": (settings.pepper, PEPPER_FILE),
    }
    known_by = []
    for name, (setting, file) in given.items():
        if setting.get_secret_value():
            known_by.append(name)
        elif (path := settings.data_dir.absolute() / file).exists():
            known_by.append(str(path))

    mark = mark_file(settings)
    if mark is not None and mark.exists():
        known_by.append(str(mark))
        return Evidence(known_by=tuple(known_by), mark=_parsed(mark))

    return Evidence(known_by=tuple(known_by), mark=None)


def leave_mark(settings: Settings, mark: Mark) -> None:
    """Writes the mark beside the keys, if any of them is in a file."""
    path = mark_file(settings)
    if path is None:
        return

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, f"{mark.store_id} {mark.opened}\n")
    except OSError as error:
        # The folder of the keys may be mounted to be read only, where the database is elsewhere.
        logger.warning(
            "%s cannot be written (%s): an older copy of the database would not be noticed",
            path,
            error.strerror,
        )


def mark_file(settings: Settings) -> Path | None:
    """Returns where the mark belongs; None where both keys are settings and there is no folder."""
    if settings.master_key.get_secret_value() and settings.pepper.get_secret_value():
        return None

    return settings.data_dir.absolute() / MARK_FILE


def _parsed(path: Path) -> Mark:
    try:
        store_id, opened = path.read_text("ascii").split()
        return Mark(store_id=store_id, opened=int(opened))
    except OSError as error:
        raise StoreUnusable(
            f"{path} cannot be read ({error.strerror}). Let the server's user read it."
        ) from error
    except ValueError:  # what is no ASCII too
        raise StoreUnusable(
            f"{path} is damaged. Restore it from a backup; or remove it, if you are sure that the "
            "database is the right one and the newest."
        ) from None
