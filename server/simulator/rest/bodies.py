"""Reads JSON request bodies: numbers exactly as written, whatever a float would make of them."""

from __future__ import annotations

__all__ = ["read_json"]

import json
from decimal import Decimal
from typing import Any

from aiohttp import web

from server.simulator.envelope import BrokerError


async def read_json(request: web.Request) -> Any:
    """Returns the body; one that is no JSON is refused."""
    try:
        return json.loads(
            await request.text(), parse_float=_keep_exact, parse_constant=_reject_constant
        )
    except (ValueError, RecursionError, LookupError):  # the last: a charset that nobody knows
        raise BrokerError(400, "invalid_json", "Request body is not valid JSON") from None


def _keep_exact(text: str) -> str:
    # The reader of tickets takes numbers and strings alike; a string loses no digit.
    Decimal(text)
    return text


def _reject_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
