"""The one table from what went wrong to a gRPC status, and the status as clients receive it.

Only `server/rpc` knows `grpc.StatusCode`; Envoy derives the HTTP status from it (the numbers beside
the table are its own), so there is no second table for REST.
"""

from __future__ import annotations

__all__ = ["DOMAIN", "FAMILIES", "Failure", "cancelled", "failure_of", "internal"]

from collections.abc import Mapping
from dataclasses import dataclass, field

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from server import errors

Code = grpc.StatusCode

FAMILIES: Mapping[type[errors.GatewayError], grpc.StatusCode] = {
    errors.BadInput: Code.INVALID_ARGUMENT,  # 400
    errors.NotAuthenticated: Code.UNAUTHENTICATED,  # 401
    errors.NotAllowed: Code.PERMISSION_DENIED,  # 403
    errors.NotFound: Code.NOT_FOUND,  # 404
    errors.Conflict: Code.ALREADY_EXISTS,  # 409
    errors.TooManyRequests: Code.RESOURCE_EXHAUSTED,  # 429
    errors.NotBuilt: Code.UNIMPLEMENTED,  # 501
    errors.Unavailable: Code.UNAVAILABLE,  # 503
    errors.Late: Code.DEADLINE_EXCEEDED,  # 504
}

DOMAIN = "tasty-gateway"
"""Whose reasons these are (AIP-193); clients tell ours from Google's and Envoy's by it."""

LONGEST_TEXT = 1500
"""Characters of a message or a metadata value: a status travels in headers, where 8 KiB is the
usual limit for all of them, and it goes there twice (plainly, and inside the details in base64)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How a call failed, ready to be sent."""

    code: grpc.StatusCode
    message: str
    details: bytes = b""
    """A serialised google.rpc.Status, for `grpc-status-details-bin`."""
    error: BaseException | None = field(default=None, compare=False)
    """What was raised; for callers inside the process, never sent."""


def failure_of(error: errors.GatewayError) -> Failure:
    """Returns the status of a known error, with its reason and the field at fault."""
    message = _short(str(error))
    details: list[Message] = [
        ErrorInfo(
            # The whole name, as `ErrorReason.Value()` takes it in every language.
            reason=error.reason,
            domain=DOMAIN,
            metadata={name: _short(value) for name, value in error.metadata.items()},
        )
    ]
    if error.field is not None:
        violation = BadRequest.FieldViolation(field=error.field, description=message)
        details.append(BadRequest(field_violations=[violation]))

    return _failure(_code_of(error), message, details, error)


def internal(request_id: str, error: BaseException) -> Failure:
    """Returns the status of an error that nobody foresaw: its text stays in the log."""
    return _failure(
        Code.INTERNAL,
        f"Internal error. Quote request id {request_id} when reporting it.",
        [
            ErrorInfo(
                reason="ERROR_REASON_INTERNAL", domain=DOMAIN, metadata={"request_id": request_id}
            )
        ],
        error,
    )


def cancelled(*, late: bool) -> Failure:
    """Returns the status of a call that its client gave up; nobody is left to receive it."""
    code = Code.DEADLINE_EXCEEDED if late else Code.CANCELLED
    return Failure(code=code, message="The client is gone.")


def _failure(
    code: grpc.StatusCode, message: str, details: list[Message], error: BaseException
) -> Failure:
    status = Status(code=code.value[0], message=message)
    for detail in details:
        status.details.add().Pack(detail)

    return Failure(code=code, message=message, details=status.SerializeToString(), error=error)


def _code_of(error: errors.GatewayError) -> grpc.StatusCode:
    return next(FAMILIES[family] for family in type(error).__mro__ if family in FAMILIES)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"
