"""Calls an rpc over REST by what the contract says of it: verb, path, query, body."""

from __future__ import annotations

__all__ = ["address", "call"]

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import requests

from server.contract.catalog import Method

NOTHING = object()


def call(
    http: requests.Session,
    base: str,
    method: Method,
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, Any] | None = None,
    body: Any = NOTHING,
    key: str | None = None,
    timeout: float = 60,
) -> requests.Response:
    """Sends one request; `body` is JSON, or bytes that are sent as they are."""
    assert method.http is not None
    content: dict[str, Any] = {}
    if body is not NOTHING:
        content = {"data": body} if isinstance(body, bytes) else {"json": body}
    return http.request(
        method.http.verb.upper(),
        base + address(method, path or {}, query or {}),
        headers={"X-API-Key": key} if key is not None else {},
        timeout=timeout,
        **content,
    )


def address(method: Method, path: Mapping[str, str], query: Mapping[str, Any]) -> str:
    """Returns path and query, with everything percent-encoded that could be taken for syntax."""
    assert method.http is not None
    parts = {name: quote(path[name], safe="") for name in method.http.path_variables}
    asked = urlencode([(k, _text(v)) for k, value in query.items() for v in _each(value)])
    return method.http.path.format(**parts) + (f"?{asked}" if asked else "")


def _each(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
