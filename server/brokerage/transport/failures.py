"""The one table from what goes wrong between us and the broker to the errors of this gateway.

The SDK joins the broker's messages into one text and loses the HTTP status, so 401, 404, 422 and
429 look alike there. The transport therefore raises from here before the SDK sees a failed answer,
whichever of its calls is running. The answer itself stays reachable as the error's cause.
"""

from __future__ import annotations

__all__ = ["LOGIN_PATH", "Refusal", "answered", "explain", "never_sent", "unreachable"]

from collections.abc import Mapping
from typing import Any

import httpx2
import orjson

from server.errors import (
    BrokerThrottled,
    BrokerTimeout,
    BrokerUnavailable,
    BrokerUnreadable,
    ForbiddenByBroker,
    GatewayError,
    GrantRevoked,
    NotACustomer,
    NotKnownToBroker,
    OrderRefused,
    RefusedByBroker,
)

LOGIN_PATH = "/oauth/token"
FINAL_LOGIN_CODES = frozenset(
    {"invalid_grant", "invalid_client", "unauthorized_client", "invalid_credentials"}
)
"""Repeating such a login blocks our address at the broker for eight hours; all else may pass."""
LONGEST_WORDS = 500


class Refusal(Exception):
    """An answer of the broker that is not a success, as far as it can be read."""

    def __init__(
        self,
        *,
        method: str,
        path: str,
        status: int,
        codes: tuple[str, ...],
        words: str,
        is_json: bool,
        body: bytes = b"",
    ) -> None:
        super().__init__(f"HTTP {status}")
        self.method = method
        self.path = path
        self.status = status
        self.codes = codes
        self.words = words
        self.is_json = is_json
        self.body = body
        """What came; a refused dry run still holds its figures there."""

    @classmethod
    def read(cls, method: str, path: str, status: int, body: bytes) -> Refusal:
        """Returns the refusal in `body`, in any of the three shapes that the broker uses."""
        try:
            codes, words = _codes_and_words(orjson.loads(body))
            is_json = True
        except orjson.JSONDecodeError:
            codes, words, is_json = [], [], False

        return cls(
            method=method,
            path=path,
            status=status,
            codes=tuple(codes),
            words="; ".join(words)[:LONGEST_WORDS] or f"HTTP {status}",
            is_json=is_json,
            body=body,
        )


def explain(refusal: Refusal) -> GatewayError:
    """Returns our error for an answer: the table."""
    if refusal.path == LOGIN_PATH:
        return _explain_login(refusal)

    if "quote_streamer.customer_not_found_error" in refusal.codes:
        return NotACustomer(refusal.words)

    match refusal.status:
        case 429:
            return BrokerThrottled()
        case 408 | 504:
            return BrokerTimeout(f"HTTP {refusal.status}")
        case status if status >= 500:
            return BrokerUnavailable(f"HTTP {status}")
        case status if not refusal.is_json or status < 400:
            return BrokerUnreadable(f"HTTP {status}")
        case 401:
            # After a renewal, or of a write: what the client sent is not at fault.
            return BrokerUnavailable("it refused our access token, which is renewed now")
        case 403:
            return ForbiddenByBroker(refusal.words)
        case 404:
            return NotKnownToBroker(refusal.words)
        case 406:
            return BrokerUnreadable(
                f"it dropped the version of its API that we speak: {refusal.words}"
            )
        case _ if _is_order(refusal):
            return OrderRefused(refusal.words, refusal.codes)
        case _:
            return RefusedByBroker(refusal.words, refusal.codes)


def unreachable(failure: httpx2.RequestError, path: str) -> GatewayError:
    """Returns our error for a request that got no answer at all."""
    if isinstance(failure, httpx2.TimeoutException):
        return BrokerTimeout(path)

    return BrokerUnavailable("no connection" if never_sent(failure) else "connection lost")


def never_sent(failure: BaseException | None) -> bool:
    """Whether the request certainly did not leave: only then may a write be called undone."""
    while failure is not None:
        if isinstance(failure, (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)):
            return True

        failure = failure.__cause__

    return False


def answered(failure: BaseException | None) -> Refusal | None:
    """Returns the broker's own answer behind an error of ours, if there was one."""
    while failure is not None:
        if isinstance(failure, Refusal):
            return failure

        failure = failure.__cause__

    return None


def _explain_login(refusal: Refusal) -> GatewayError:
    if FINAL_LOGIN_CODES.intersection(refusal.codes):
        return GrantRevoked(refusal.words)

    if refusal.status == 429:
        return BrokerThrottled()

    return BrokerUnavailable(f"login answered HTTP {refusal.status}")


def _is_order(refusal: Refusal) -> bool:
    return refusal.method != "GET" and "orders" in refusal.path


def _codes_and_words(parsed: object) -> tuple[list[str], list[str]]:
    if not isinstance(parsed, Mapping):
        return [], []

    error = parsed.get("error")
    if isinstance(error, Mapping):
        return _nested(error)

    # OAuth answers in its own shape, and not always with the names of RFC 6749.
    code = parsed.get("error_code") or error
    words = parsed.get("error_description") or code
    return [str(code)] if code else [], [str(words)] if words else []


def _nested(error: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    codes: list[str] = []
    words: list[str] = []
    inner = error.get("errors")
    for each in [error, *(inner if isinstance(inner, list) else [])]:
        if not isinstance(each, Mapping):
            continue

        code = each.get("code") or each.get("domain")
        message = each.get("message") or each.get("reason")
        if code:
            codes.append(str(code))

        if message and str(message) not in words:
            words.append(str(message))

    return codes, words
