"""What an API key and a credential may look like, how a key is masked, and its keyed digest.

A slow hash would be wrong here: it costs every request what one guess costs, and the digest is
useless without the pepper anyway.
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
"""Characters of the shortest API key: the guide's own `demo-key` has as many."""

MAXIMUM = 128

GENERATED = "tasty_"
"""What a generated key begins with, so that one that got lost is recognised."""

RANDOM_BYTES = 32

CREDENTIAL_MAXIMUM = 4096
"""Characters of the longest client secret or refresh token; real ones have some hundreds."""

SHOWN = 3
"""Characters that a mask shows at each end, at most."""

# Exactly what travels unchanged in a header, a path and a shell: the unreserved set of RFC 3986.
_KEY = re.compile(rf"[A-Za-z0-9._~-]{{{MINIMUM},{MAXIMUM}}}")


class KeyHasher:
    """Turns API keys into digests that say nothing without the pepper."""

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
    """Returns a new key, which nobody can guess."""
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
    """Raises `InvalidField`, without the value, for what cannot be a credential of the broker."""
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

    To others than its holder (and the administrator) a short key shows less: six characters known
    of eight would leave a few thousand guesses.
    """
    width = SHOWN if own else min(SHOWN, length // MINIMUM)
    return f"{start[:width]}…{end[-width:]}"


def masked(api_key: Secret) -> str:
    """Returns what may be repeated of a key that somebody has just given."""
    text = api_key.reveal()
    return mask(text, text, len(text), own=True) if len(text) >= MINIMUM else "…"
