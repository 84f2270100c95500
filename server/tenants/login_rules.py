"""Decides whether credentials that have never worked may be tried at the broker now.

After an unpublished number of refused logins the broker blocks an address for eight hours, and with
it every tenant of this server. So refused logins have a budget for the same eight hours. Half of it
is open to anybody. The other half is reserved for tenants whose earlier credentials worked, so that
strangers cannot keep them from replacing a revoked grant.
"""

from __future__ import annotations

__all__ = ["HOUR", "PER_HOUR", "WINDOW", "Attempt", "Held", "Standing", "held_back"]

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

WINDOW = timedelta(hours=8)
"""How long a refused login counts: as long as the broker's block lasts."""

HOUR = timedelta(hours=1)

PER_HOUR = 2
"""Refused logins with new credentials in an hour, of one tenant and of one address."""


class Standing(StrEnum):
    """What is known about the credentials of a login."""

    NEW = "new"
    """No credentials of the tenant have ever worked."""
    REPLACED = "replaced"
    """These have not worked yet, but earlier ones of the tenant have."""
    WORKED = "worked"
    """These have worked. They are never held back; a refusal of them is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A login that was refused, or whose outcome is unknown or pending."""

    tenant_id: str
    address: bytes
    """A keyed digest; empty where no caller is known."""
    begun_at: datetime
    standing: Standing
    running: bool
    """Whether its outcome is pending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Why a login is held back."""

    whose: Literal["API key", "address", "server"]
    until: datetime
    running: bool
    """Whether the login would be admitted if all pending ones succeeded."""


def held_back(
    attempts: Sequence[Attempt], login: Attempt, *, total: int, now: datetime
) -> Held | None:
    """Returns why `login` has to wait, or None if it may be tried."""
    attempts = [each for each in attempts if each.begun_at > now - WINDOW]
    whose = _whose(attempts, login, total, now)
    if whose is None:
        return None

    ends = sorted({each.begun_at + span for each in attempts for span in (HOUR, WINDOW)})
    until = next(
        (
            end
            for end in ends
            if end > now
            and not _whose(
                [one for one in attempts if one.begun_at > end - WINDOW], login, total, end
            )
        ),
        now + WINDOW,
    )
    done = [each for each in attempts if not each.running]
    return Held(whose=whose, until=until, running=_whose(done, login, total, now) is None)


def _whose(
    attempts: Sequence[Attempt], login: Attempt, total: int, now: datetime
) -> Literal["API key", "address", "server"] | None:
    own = [each for each in attempts if each.tenant_id == login.tenant_id]
    if _untried_of_the_hour(own, now) >= PER_HOUR:
        return "API key"

    kept = total // 2
    if login.standing is Standing.REPLACED:
        # Not held up by the address: a neighbour behind the same one may have used that up. A
        # tenant with refusals has to leave as many places free as it has used, so that none of
        # them takes all.
        used = sum(each.standing is Standing.REPLACED for each in attempts)
        return "server" if used + len(own) >= kept else None

    near = [each for each in attempts if login.address and each.address == login.address]
    if _untried_of_the_hour(near, now) >= PER_HOUR:
        return "address"

    used = sum(each.standing is not Standing.REPLACED for each in attempts)
    return "server" if used + max(len(own), len(near)) >= total - kept else None


def _untried_of_the_hour(attempts: Sequence[Attempt], now: datetime) -> int:
    return sum(
        each.begun_at > now - HOUR and each.standing is not Standing.WORKED for each in attempts
    )
