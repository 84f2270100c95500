"""Validates API keys and credentials, masks keys, and computes their keyed digests.

The hash is fast on purpose: a slow one would cost every request as much as one guess, and the
digest is useless without the pepper anyway.
"""

from __future__ import annotations

__all__ = [
    "MAXIMUM",
    "MINIMUM",
    "KeyHasher",
    "check_api_key",
    "check_credentials",
    "generate_api_key",
    "mask",
    "masked",
]

import hmac
import re
import secrets

from server.errors import InvalidField, PrintedApiKey, WeakApiKey
from server.secret import Secret
from server.tenants.model import Credentials
from server.tenants.printed import is_placeholder, is_printed_key

MINIMUM = 8
"""Minimum length of an API key: that of the guide's `demo-key`."""

MAXIMUM = 128

GENERATED = "tasty_"
"""Prefix of generated keys, so that a leaked one is recognised."""

RANDOM_BYTES = 32

CREDENTIAL_MAXIMUM = 4096
"""Maximum length of a client secret or refresh token; real ones have some hundreds."""

SHOWN = 3
"""Maximum number of characters that a mask shows at each end."""

# Characters that need no escaping in a header, a path or a shell: RFC 3986's unreserved set.
_KEY = re.compile(rf"[A-Za-z0-9._~-]{{{MINIMUM},{MAXIMUM}}}")


class KeyHasher:
    """Computes digests of API keys, which cannot be guessed without the pepper."""

    __slots__ = ("_key", "_prefix")

    def __init__(self, key: bytes, environment: str) -> None:
        self._key = key
        # In the digest, so that a key of the simulator opens nothing at the real broker.
        self._prefix = environment.encode() + b"\0"

    def digest(self, api_key: Secret) -> bytes:
        """Returns 32 bytes; takes the same time for any key of one length, known or not."""
        text = api_key.reveal().encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, self._prefix + text, "sha256")


def generate_api_key() -> Secret:
    """Returns a new random key."""
    return Secret(f"{GENERATED}{secrets.token_urlsafe(RANDOM_BYTES)}")


def check_api_key(api_key: Secret, *, real: bool = False) -> None:
    """Raises `WeakApiKey` or `PrintedApiKey` unless the key can be registered.

    `real` tells whether it is to open accounts at a real broker.
    """
    if not _KEY.fullmatch(api_key.reveal()):
        raise WeakApiKey(minimum=MINIMUM, maximum=MAXIMUM)

    if real and is_printed_key(api_key.reveal()):
        raise PrintedApiKey


def check_credentials(credentials: Credentials, *, real: bool = False) -> None:
    """Raises `InvalidField`, without the value, if a credential cannot be one of the broker's."""
    for field in ("client_secret", "refresh_token"):
        text = getattr(credentials, field).reveal()
        fits = 1 <= len(text) <= CREDENTIAL_MAXIMUM
        if not fits or not text.isascii() or not text.isprintable() or " " in text:
            raise InvalidField(
                field,
                "***" if text else "",
                f"1 to {CREDENTIAL_MAXIMUM} characters of ASCII without spaces or line breaks",
            )

        if real and is_placeholder(text):
            raise InvalidField(
                field, "***", "the value that tastytrade shows, not the documentation's placeholder"
            )


def mask(start: str, end: str, length: int, *, own: bool) -> str:
    """Returns the two ends of a key with the middle left out.

    Anybody but its holder and the administrator sees less of a short key: six known characters of
    eight would leave a few thousand guesses.
    """
    width = SHOWN if own else min(SHOWN, length // MINIMUM)
    return f"{start[:width]}…{end[-width:]}"


def masked(api_key: Secret) -> str:
    """Returns the mask of a key for its own sender."""
    text = api_key.reveal()
    return mask(text, text, len(text), own=True) if len(text) >= MINIMUM else "…"
