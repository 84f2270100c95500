"""The one table from what went wrong to a status, and the status as clients receive it.

Only `server/rpc` knows `grpc.StatusCode`. The HTTP statuses beside the codes are what Envoy makes
of them by itself; they stand here for streams, whose clients can be told in-band only.
"""

from __future__ import annotations

__all__ = ["DOMAIN", "FAMILIES", "Answer", "Failure", "cancelled", "failure_of"]

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from server import errors

Code = grpc.StatusCode


class Answer(NamedTuple):
    """How a kind of failure is answered."""

    code: grpc.StatusCode
    http: int


FAMILIES: Mapping[type[errors.GatewayError], Answer] = {
    errors.BadInput: Answer(Code.INVALID_ARGUMENT, 400),
    errors.NotAuthenticated: Answer(Code.UNAUTHENTICATED, 401),
    errors.NotAllowed: Answer(Code.PERMISSION_DENIED, 403),
    errors.NotFound: Answer(Code.NOT_FOUND, 404),
    errors.Conflict: Answer(Code.ALREADY_EXISTS, 409),
    errors.TooManyRequests: Answer(Code.RESOURCE_EXHAUSTED, 429),
    errors.NotBuilt: Answer(Code.UNIMPLEMENTED, 501),
    errors.Unavailable: Answer(Code.UNAVAILABLE, 503),
    errors.Late: Answer(Code.DEADLINE_EXCEEDED, 504),
}
UNFORESEEN = Answer(Code.INTERNAL, 500)

DOMAIN = "tasty-gateway"
"""Whose reasons these are (AIP-193); clients tell ours from Google's and Envoy's by it."""

LONGEST_TEXT = 1500
"""Characters of a message or a metadata value: a status travels in headers, where 8 KiB is the
usual limit for all of them, and it goes there twice (plainly, and inside the details in base64)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How a call failed, ready to be sent."""

    code: grpc.StatusCode
    http: int
    reason: str
    message: str
    details: bytes = b""
    """A serialised google.rpc.Status, for `grpc-status-details-bin`."""
    error: BaseException | None = field(default=None, compare=False)
    """What was raised; for callers inside the process, never sent."""

    @property
    def unforeseen(self) -> bool:
        return self.code is UNFORESEEN.code


def failure_of(error: Exception, request_id: str) -> Failure:
    """Returns what to tell of an error: all of one that is ours, of others only the request id."""
    known = _known(error)
    if known is None:
        return _failure(
            UNFORESEEN,
            "ERROR_REASON_INTERNAL",
            f"Internal error. Quote request id {request_id} when reporting it.",
            {"request_id": request_id},
            error,
        )

    return _failure(_answer_to(known), known.reason, _short(str(known)), known.metadata, known)


def cancelled(*, late: bool) -> Failure:
    """Returns the status of a call that its client gave up; nobody is left to receive it."""
    if late:
        return Failure(code=Code.DEADLINE_EXCEEDED, http=504, reason="", message="")

    return Failure(code=Code.CANCELLED, http=499, reason="", message="")


def _failure(
    answer: Answer, reason: str, message: str, metadata: Mapping[str, str], error: Exception
) -> Failure:
    # The whole name of the reason, as `ErrorReason.Value()` takes it in every language.
    info = ErrorInfo(reason=reason, domain=DOMAIN)
    info.metadata.update({name: _short(value) for name, value in metadata.items()})
    details: list[Message] = [info]
    if isinstance(error, errors.GatewayError) and error.field is not None:
        violation = BadRequest.FieldViolation(field=error.field, description=message)
        details.append(BadRequest(field_violations=[violation]))

    status = Status(code=answer.code.value[0], message=message)
    for detail in details:
        status.details.add().Pack(detail)

    return Failure(
        code=answer.code,
        http=answer.http,
        reason=reason,
        message=message,
        details=status.SerializeToString(),
        error=error,
    )


def _known(error: Exception) -> errors.GatewayError | None:
    """Returns the error if it is ours, or the first of a task group that holds nothing else."""
    if isinstance(error, errors.GatewayError):
        return error

    if not isinstance(error, ExceptionGroup) or error.split(errors.GatewayError)[1] is not None:
        return None

    first: Exception = error
    while isinstance(first, ExceptionGroup):
        first = first.exceptions[0]

    return first if isinstance(first, errors.GatewayError) else None


def _answer_to(error: errors.GatewayError) -> Answer:
    return next(FAMILIES[family] for family in type(error).__mro__ if family in FAMILIES)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"
