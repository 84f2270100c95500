"""Recognises keys and secrets that the documentation prints as examples.

With the simulator they work, as the guide shows. With a real broker a printed key would open an
account to every reader, and a printed secret would be one more refused login.
"""

from __future__ import annotations

__all__ = ["is_placeholder", "is_printed_key"]

PLACEHOLDER = "your_"
"""Beginning of a placeholder."""

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
    """Returns whether an API key is printed in the documentation, in any spelling."""
    plain = _plain(api_key)
    return plain in KEYS or plain.startswith(PLACEHOLDER)


def is_placeholder(secret: str) -> bool:
    """Returns whether a client secret or refresh token is printed in the documentation."""
    plain = _plain(secret)
    return plain in SECRETS or plain.startswith(PLACEHOLDER)


def _plain(text: str) -> str:
    return text.lower().replace("-", "_").strip("<>{}")
