"""Looks for planted secrets, also in the forms that some innocent function gave them."""

from __future__ import annotations

__all__ = ["forms", "hits"]

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote


def forms(secret: str) -> Iterator[bytes]:
    """Yields what a secret may look like after some innocent function had it."""
    raw = secret.encode()
    yield raw
    yield raw.hex().encode()
    yield base64.b64encode(raw).rstrip(b"=")
    yield repr(secret)[1:-1].encode()
    yield json.dumps(secret)[1:-1].encode()
    yield quote(secret, safe="").encode()
    yield raw[:16]
    yield raw[-12:]


def hits(haystack: bytes, *secrets: str) -> list[bytes]:
    """Returns the forms that are there."""
    return [form for secret in secrets for form in forms(secret) if form in haystack]
