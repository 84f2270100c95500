"""Issues and checks OAuth tokens.

OAuth errors do not use the broker's usual envelope but `{"error_code", "error_description"}`. A
client that parses only `error` sees an unreadable answer; the real broker behaves the same.
"""

from __future__ import annotations

__all__ = ["OAuth", "OAuthError", "OAuthStatistics"]

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.simulator.clock import SimClock
from server.simulator.customers import Customer, Customers
from server.simulator.envelope import BrokerError
from server.simulator.settings import SimulatorSettings


class OAuthError(Exception):
    """Reports a refusal of the token endpoint."""

    def __init__(self, status: int, code: str, description: str) -> None:
        super().__init__(f"{status} {code}: {description}")
        self.status = status
        self.code = code
        self.description = description

    def body(self) -> dict[str, str]:
        return {"error_code": self.code, "error_description": self.description}


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthStatistics:
    """Counts grants, refusals and tokens."""

    granted: int
    refused: int
    live: int
    """Number of access tokens that are valid now."""

    revoked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    customer: Customer
    refresh_token: str
    expires_at: datetime


class OAuth:
    """Issues, checks, expires and revokes tokens; keeps no secret except these tokens."""

    def __init__(self, settings: SimulatorSettings, clock: SimClock, customers: Customers) -> None:
        self._settings = settings
        self._clock = clock
        self._customers = customers
        self._access: dict[str, _Token] = {}
        self._quote: dict[str, _Token] = {}
        self._revoked: set[str] = set()
        self._granted = 0
        self._refused = 0

    def grant(self, form: Mapping[str, Any]) -> dict[str, Any]:
        """Answers a token request (refresh-token or authorization-code grant), or refuses it."""
        try:
            return self._grant(form)
        except OAuthError:
            self._refused += 1
            raise

    def authenticate(self, authorization: str | None) -> Customer:
        """Returns the customer of an `Authorization` value, with or without the word Bearer."""
        if not authorization:
            raise BrokerError(401, "unauthorized", "Unauthorized")

        token = self._access.get(authorization.removeprefix("Bearer ").strip())
        if token is None or not self._is_valid(token):
            raise BrokerError(401, "token_invalid", "This token is invalid or has expired")

        return token.customer

    def quote_token(self, customer: Customer) -> tuple[str, datetime, datetime]:
        """Issues a quote token; returns it with its times of issue and expiry."""
        if not customer.quotes:
            raise BrokerError(
                404,
                "quote_streamer.customer_not_found_error",
                "You must be a customer to access a quote stream.",
            )

        issued = self._clock.now()
        expires = issued + self._settings.quote_token_lifetime
        text = secrets.token_urlsafe(48)
        self._quote[text] = _Token(customer=customer, refresh_token="", expires_at=expires)
        return text, issued, expires

    def find_quote_customer(self, quote_token: object) -> tuple[Customer, datetime] | None:
        """Returns the customer and the expiry of a quote token; None if it is not valid."""
        token = self._quote.get(quote_token) if isinstance(quote_token, str) else None
        return (token.customer, token.expires_at) if token and self._is_valid(token) else None

    def revoke(self, refresh_token: str) -> None:
        """Ends a grant: its access tokens stop working, and it gets no new ones."""
        self._revoked.add(refresh_token)

    def restore(self, refresh_token: str) -> None:
        """Undoes `revoke`, as a user does by granting access again."""
        self._revoked.discard(refresh_token)

    def expire_access_tokens(self, customer_id: str | None = None) -> int:
        """Ends all access tokens, or those of one customer; returns how many."""
        return _remove_tokens(self._access, customer_id)

    def expire_quote_tokens(self, customer_id: str | None = None) -> int:
        """Ends all quote tokens, or those of one customer; returns how many."""
        return _remove_tokens(self._quote, customer_id)

    def statistics(self) -> OAuthStatistics:
        return OAuthStatistics(
            granted=self._granted,
            refused=self._refused,
            live=sum(self._is_valid(token) for token in self._access.values()),
            revoked=len(self._revoked),
        )

    def _grant(self, form: Mapping[str, Any]) -> dict[str, Any]:
        kind = form.get("grant_type")
        secret = form.get("client_secret")
        if kind == "refresh_token":
            refresh_token = form.get("refresh_token")
        elif kind == "authorization_code":
            # A code stands for its grant: the same code gives the same customer.
            code = form.get("code")
            refresh_token = f"granted-{code}" if code and isinstance(code, str) else None
        else:
            raise OAuthError(400, "unsupported_grant_type", "Grant type is not supported")

        if not isinstance(secret, str) or not isinstance(refresh_token, str):
            raise OAuthError(400, "invalid_request", "Missing required parameter")

        if not secret or "wrong" in secret:
            raise OAuthError(401, "invalid_client", "Client authentication failed")

        if "revoked" in refresh_token or refresh_token in self._revoked:
            raise OAuthError(400, "invalid_grant", "Grant revoked")

        if not refresh_token or "unknown" in refresh_token:
            raise OAuthError(400, "invalid_grant", "Grant not found")

        self._delete_expired()
        self._granted += 1
        lifetime = self._settings.access_token_lifetime
        text = secrets.token_urlsafe(48)
        self._access[text] = _Token(
            customer=self._customers.of_grant(refresh_token),
            refresh_token=refresh_token,
            expires_at=self._clock.now() + lifetime,
        )
        answer: dict[str, Any] = {
            "access_token": text,
            "token_type": "Bearer",
            "expires_in": int(lifetime.total_seconds()),
        }
        if kind == "authorization_code":
            answer["refresh_token"] = refresh_token

        return answer

    def _is_valid(self, token: _Token) -> bool:
        return self._clock.now() < token.expires_at and token.refresh_token not in self._revoked

    def _delete_expired(self) -> None:
        # At each grant, so that a gateway that runs for weeks does not make the tables grow.
        now = self._clock.now()
        for tokens in (self._access, self._quote):
            for text in [text for text, token in tokens.items() if token.expires_at <= now]:
                del tokens[text]


def _remove_tokens(tokens: dict[str, _Token], customer_id: str | None) -> int:
    gone = [text for text, token in tokens.items() if customer_id in (None, token.customer.id)]
    for text in gone:
        del tokens[text]

    return len(gone)
