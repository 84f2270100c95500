"""401: nobody, or somebody the broker no longer knows."""

from __future__ import annotations

__all__ = ["AmbiguousApiKey", "GrantRevoked", "InvalidApiKey", "MissingApiKey"]


from server.errors.families import GRANTS_PAGE, NotAuthenticated


class MissingApiKey(NotAuthenticated):
    reason = "ERROR_REASON_MISSING_API_KEY"

    def __init__(self) -> None:
        super().__init__("Missing API key. Provide X-API-Key header.")


class InvalidApiKey(NotAuthenticated):
    reason = "ERROR_REASON_INVALID_API_KEY"

    def __init__(self) -> None:
        super().__init__("Invalid API key. No credentials configured for this key.")


class AmbiguousApiKey(NotAuthenticated):
    reason = "ERROR_REASON_AMBIGUOUS_API_KEY"

    def __init__(self) -> None:
        super().__init__("More than one API key was sent. Provide the X-API-Key header once.")


class GrantRevoked(NotAuthenticated):
    """The broker refused the refresh token for good: no further try until credentials change."""

    reason = "ERROR_REASON_GRANT_REVOKED"

    def __init__(self, words: str = "Grant revoked") -> None:
        super().__init__(
            "TastyTrade refresh token is invalid or revoked. Please update your credentials using "
            "POST /api/v1/credentials. To get a new refresh token, visit "
            f"{GRANTS_PAGE} and create a new Personal OAuth Grant. Error: {words}"
        )
        self.words = words
