"""Knows the keys and secrets that the documentation prints for copying.

Beside the simulator they work, as the guide shows them. With a real broker a key that everybody can
read opens somebody's account to everybody, and a placeholder for a secret is one more refused
login.
"""

from __future__ import annotations

__all__ = ["is_placeholder", "is_printed_key"]

PLACEHOLDER = "your_"
"""How a text begins that stands for one of the reader's own."""

KEYS = frozenset({"a_long_random_text", "demo_key", "tenant1_key", "tenant2_key"})
"""With `_` for `-`, and in small letters; like those below."""

SECRETS = frozenset(
    {
        "...",
        "demo_client_secret",
        "demo_refresh_token",
        "tenant1_secret",
        "tenant1_token",
        "tenant2_secret",
        "tenant2_token",
    }
)


def is_printed_key(api_key: str) -> bool:
    """Tells whether an API key is one of the documentation's, however it is spelled."""
    plain = _plain(api_key)
    return plain in KEYS or plain.startswith(PLACEHOLDER)


def is_placeholder(secret: str) -> bool:
    """Tells whether a client secret or refresh token is one of the documentation's."""
    plain = _plain(secret)
    return plain in SECRETS or plain.startswith(PLACEHOLDER)


def _plain(text: str) -> str:
    return text.lower().replace("-", "_").strip("<>{}")
