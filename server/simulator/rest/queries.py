"""Reads query parameters as the broker does: `key[]=a&key[]=b`, dates, instants, words, flags."""

from __future__ import annotations

__all__ = [
    "is_newest_first",
    "read_choice",
    "read_date",
    "read_flag",
    "read_id",
    "read_instant",
    "read_many",
    "read_one",
]

import re
from collections.abc import Collection
from datetime import UTC, date, datetime

from aiohttp import web

from server.simulator.envelope import BrokerError


def read_one(request: web.Request, name: str) -> str | None:
    """Returns a parameter; an empty one counts as missing."""
    return request.query.get(name) or None


def read_many(request: web.Request, name: str) -> list[str]:
    """Returns every value of `name[]`, or of `name`."""
    values = request.query.getall(f"{name}[]", []) or request.query.getall(name, [])
    return [value for value in values if value]


def read_flag(request: web.Request, name: str) -> bool:
    return request.query.get(name, "").lower() in ("true", "1")


def read_choice(request: web.Request, name: str, words: Collection[str], default: str) -> str:
    """Returns one of some words; refuses any other."""
    given = read_one(request, name)
    if given is None:
        return default

    if given not in words:
        raise invalid(name, "does not have a valid value")

    return given


def read_id(request: web.Request, name: str) -> int | None:
    """Returns the number in the path; None if it is not a number, which then is not found."""
    # Python does not parse a number of some thousand digits, and no id is that long.
    text = request.match_info[name]
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def read_date(request: web.Request, name: str) -> date | None:
    """Returns a date; for an instant, the date of it."""
    given = read_one(request, name)
    if given is None:
        return None

    try:
        return date.fromisoformat(given[:10])
    except ValueError:
        raise invalid(name, "is invalid") from None


def read_instant(request: web.Request, name: str) -> datetime | None:
    """Returns an instant; without an offset it is in UTC. Ignores a zone name in brackets."""
    given = read_one(request, name)
    if given is None:
        return None

    # An unescaped plus sign arrives as a space.
    text = given.partition("[")[0].replace(" ", "+", 1) if "T" in given else given
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            at = datetime.fromisoformat(given)
        except ValueError:
            raise invalid(name, "is invalid") from None

    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def is_newest_first(request: web.Request) -> bool:
    """Tells the direction of `sort`; by default newest first."""
    return read_choice(request, "sort", ("Asc", "Desc"), "Desc") == "Desc"


def invalid(domain: str, reason: str) -> BrokerError:
    return BrokerError(
        400, "validation_error", "Request validation failed", [{"domain": domain, "reason": reason}]
    )
