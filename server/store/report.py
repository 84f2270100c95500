"""Describes the store to the operator (the command `migrate`), or why it cannot be used."""

from __future__ import annotations

__all__ = ["Opened", "describe", "explained", "open_once"]

import logging
from dataclasses import dataclass

from server.errors import Misconfigured, StoreUnavailable
from server.settings import Settings
from server.store.address import database_place
from server.store.admission import Admit
from server.store.database import Database
from server.store.diagnosis import diagnose, name_of, root_of
from server.store.identity import StoreIdentity
from server.store.migrations import HEAD

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A store that could be opened."""

    where: str
    identity: StoreIdentity


async def open_once(settings: Settings, *, new: bool, restored: bool) -> Opened:
    """Opens the database as a start of the server does, and closes it; `new` makes a new store."""
    admit = Admit.NEW if new else Admit.RESTORED if restored else Admit.EXISTING
    async with Database(settings, admit=admit) as database:
        opened = Opened(where=database.place.words, identity=database.identity)

    if admit is not Admit.EXISTING:
        logger.warning(
            "migrate %s: the store %s in %s is used from now on",
            "--init" if new else "--restored",
            opened.identity.store_id,
            opened.where,
        )

    return opened


def describe(opened: Opened) -> str:
    """Returns the store in lines for a person."""
    identity = opened.identity
    since = identity.complete_since
    return "\n".join(
        (
            f"store         {identity.store_id}",
            f"place         {opened.where}",
            f"tables        step {HEAD}, the newest",
            f"begun         {identity.begun_at:%Y-%m-%d %H:%M:%S} UTC",
            f"opened        {identity.opened} times",
            f"complete      {f'since {since:%Y-%m-%d %H:%M:%S} UTC' if since else 'yes'}",
        )
    )


def explained(error: StoreUnavailable, settings: Settings) -> Misconfigured:
    """Returns what kept a command from the database, in words for who gave the command."""
    place = database_place(settings)
    return diagnose(error, place) or Misconfigured(
        f"{place.words[:1].upper()}{place.words[1:]} does not answer ({name_of(root_of(error))}). "
        f"Look whether it runs and can be reached from here ({place.setting}), and start again."
    )
