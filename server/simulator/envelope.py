"""Writes the broker's JSON envelopes: `{data, context}`, pages of items, and errors.

Keys are dashed and decimals are strings here, as on the broker's wire. Any part raises a
`BrokerError` to refuse a call; `middlewares.py` alone turns it into the broker's error body.
"""

from __future__ import annotations

__all__ = ["BrokerError", "dumps", "envelope", "paginate", "reply"]

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
from aiohttp import web


class BrokerError(Exception):
    """Reports a refusal as the broker does: HTTP status, code, sentence and inner errors."""

    def __init__(
        self, status: int, code: str, message: str, errors: Iterable[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = tuple(errors)

    def body(self) -> dict[str, Any]:
        """Returns `{"error": {...}}`; only an unsupported version (406) has a numeric code."""
        error: dict[str, Any] = {
            "code": self.status if self.status == 406 else self.code,
            "message": self.message,
        }
        if self.errors:
            error["errors"] = [dict(inner) for inner in self.errors]

        return {"error": error}


def envelope(data: Any, context: str) -> dict[str, Any]:
    """Wraps the data of a success; `context` is the requested path."""
    return {"data": data, "context": context}


def paginate(
    items: Sequence[Any],
    request: web.Request,
    *,
    per_page: int = 250,
    maximum: int = 2000,
    render: Callable[[Any], Any] | None = None,
) -> dict[str, Any]:
    """Returns the page that the query asks for, with the broker's `pagination` object.

    `page-offset` counts pages from 0, not items. `render` makes an item's JSON, and is called for
    the items of the page only. A `per-page` or `page-offset` that is not such a number is refused.
    """
    size = _read_number(request, "per-page", per_page, minimum=1, maximum=maximum)
    offset = _read_number(request, "page-offset", 0, minimum=0)
    first = size * offset
    cut = items[first : first + size]
    pages = math.ceil(len(items) / size)
    body = envelope({"items": list(map(render, cut)) if render else list(cut)}, request.path)
    body["pagination"] = {
        "per-page": size,
        "page-offset": offset,
        "item-offset": first,
        "total-items": len(items),
        "total-pages": pages,
        "current-item-count": len(cut),
        "previous-link": _page_link(request, size, offset - 1) if offset > 0 else None,
        "next-link": _page_link(request, size, offset + 1) if offset + 1 < pages else None,
        "paging-link-template": None,
    }
    return body


def reply(body: Any, status: int = 200) -> web.Response:
    """Makes a JSON response from a body that is already in its envelope."""
    return web.Response(body=dumps(body), status=status, content_type="application/json")


def dumps(value: Any) -> bytes:
    """Serializes JSON: decimals as strings, instants in ISO 8601 with milliseconds and offset."""
    return orjson.dumps(value, default=_to_json, option=orjson.OPT_PASSTHROUGH_DATETIME)


def _to_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"

    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")

    if isinstance(value, date):
        return value.isoformat()

    if isinstance(value, set | frozenset | tuple):
        return list(value)

    raise TypeError(f"{type(value).__name__} has no JSON form here")


def _read_number(
    request: web.Request, name: str, default: int, *, minimum: int, maximum: int | None = None
) -> int:
    text = request.query.get(name)
    if text is None:
        return default

    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < minimum:
        raise BrokerError(
            400,
            "validation_error",
            "Request validation failed",
            [{"domain": name, "reason": f"must be a whole number of at least {minimum}"}],
        )

    return int(text) if maximum is None else min(int(text), maximum)


def _page_link(request: web.Request, size: int, offset: int) -> str:
    query = dict(request.query) | {"per-page": str(size), "page-offset": str(offset)}
    return str(request.rel_url.with_query(query))
