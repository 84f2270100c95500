"""Defines errors in the shape of the Messages API, which differs from the broker's."""

from __future__ import annotations

__all__ = ["ApiError", "invalid_request"]

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """Reports an error as the API does: HTTP status, type, sentence and headers."""

    def __init__(
        self, status: int, kind: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {kind}: {message}")
        self.status = status
        self.kind = kind
        self.message = message
        self.headers = dict(headers or {})

    def body(self, request_id: str) -> dict[str, Any]:
        return {
            "type": "error",
            "error": {"type": self.kind, "message": self.message},
            "request_id": request_id,
        }


def invalid_request(message: str) -> ApiError:
    """Returns the error for a request that is not valid."""
    return ApiError(400, "invalid_request_error", message)
