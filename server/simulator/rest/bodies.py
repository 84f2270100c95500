"""Reads JSON request bodies with numbers exactly as written, without a float in between."""

from __future__ import annotations

__all__ = ["read_json"]

import json
from decimal import Decimal
from typing import Any

from aiohttp import web

from server.simulator.envelope import BrokerError


async def read_json(request: web.Request) -> Any:
    """Returns the body; a body that is not JSON is refused."""
    try:
        return json.loads(
            await request.text(), parse_float=_keep_exact, parse_constant=_reject_constant
        )
    except (ValueError, RecursionError, LookupError):  # the last one: an unknown charset
        raise BrokerError(400, "invalid_json", "Request body is not valid JSON") from None


def _keep_exact(text: str) -> str:
    # The ticket parser accepts numbers and strings; a string keeps every digit.
    Decimal(text)
    return text


def _reject_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
