"""What every error is, and the families: a family is a meaning, and becomes a status elsewhere."""

from __future__ import annotations

__all__ = [
    "GRANTS_PAGE",
    "SHOWN_CHOICES",
    "BadInput",
    "Conflict",
    "GatewayError",
    "Late",
    "Misconfigured",
    "NotAllowed",
    "NotAuthenticated",
    "NotBuilt",
    "NotFound",
    "TooManyRequests",
    "Unavailable",
    "choices",
    "shortened",
]

from collections.abc import Mapping, Sequence
from typing import ClassVar

GRANTS_PAGE = "https://my.tastytrade.com/app.html#/manage/api-access/oauth-applications"
LONGEST_SHOWN = 40
SHOWN_CHOICES = 25
"""How many choices an error lists at most: a chain has hundreds of strikes."""


class GatewayError(Exception):
    """A failure that a client may be told about, in the words of `str(error)`."""

    reason: ClassVar[str]
    """The name of the value in `tasty.v1.ErrorReason`; set by every leaf, missing on families."""

    field: str | None = None
    """The request field at fault, where there is one (a path such as `legs[0].quantity`)."""

    def __init__(self, sentence: str, **metadata: object) -> None:
        super().__init__(sentence)
        self.metadata: Mapping[str, str] = {name: str(value) for name, value in metadata.items()}


class Misconfigured(Exception):
    """The server cannot run as it is set up; its words are for the operator, never for a client."""


class BadInput(GatewayError):
    """The request cannot be right, whatever the state of the account."""


class NotAuthenticated(GatewayError):
    """Nobody, or somebody the broker no longer knows."""


class NotAllowed(GatewayError):
    """Known, but this is not theirs to do."""


class NotFound(GatewayError):
    """What the request names does not exist for this tenant."""


class Conflict(GatewayError):
    """Another request with the same name came first."""


class TooManyRequests(GatewayError):
    """The queue of this API key cannot take or serve the request in time."""


class NotBuilt(GatewayError):
    """The contract has it, this server does not yet."""


class Unavailable(GatewayError):
    """The broker, or this server, cannot serve at the moment; the same request may work later."""


class Late(GatewayError):
    """The answer did not come within the time that was allowed."""


def choices(values: Sequence[str]) -> str:
    shown = [str(value) for value in values[:SHOWN_CHOICES]]
    more = len(values) - len(shown)
    return f"{shown}" if more <= 0 else f"{shown} and {more} more"


def shortened(text: str) -> str:
    """Returns what may be repeated of something that its sender could make as long as he likes."""
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
