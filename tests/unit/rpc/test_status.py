"""Every error of the tree has its status, and says no more than fits into headers."""

from __future__ import annotations

import inspect

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from tasty.v1.error_reason_pb2 import ErrorReason

from server import errors
from server.rpc.status import FAMILIES, LONGEST_TEXT, failure_of

ENVOY = {
    # How Envoy's transcoder answers each status.
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}

LEAVES = [
    error
    for error in vars(errors).values()
    if inspect.isclass(error)
    and issubclass(error, errors.GatewayError)
    and error is not errors.GatewayError
    and error not in FAMILIES
]


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_every_error_has_a_family_with_the_status_that_its_reason_promises(
    leaf: type[errors.GatewayError],
) -> None:
    families = [family for family in leaf.__mro__ if family in FAMILIES]

    assert len(families) == 1
    # The number of a reason is its HTTP status times 100 and a count.
    assert ErrorReason.Value(leaf.reason) // 100 == FAMILIES[families[0]].http


def test_every_family_has_a_status_of_its_own() -> None:
    direct = set(errors.GatewayError.__subclasses__())

    assert direct == set(FAMILIES)
    assert {answer.code.name: answer.http for answer in FAMILIES.values()} == ENVOY


def test_the_details_hold_reason_numbers_and_field() -> None:
    failure = failure_of(errors.TooManyGiven("symbols", given=812, allowed=500), "r-1")
    status = Status.FromString(failure.details)

    assert failure.code is grpc.StatusCode.INVALID_ARGUMENT
    assert (status.code, status.message) == (3, failure.message)
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.reason == "ERROR_REASON_TOO_MANY_GIVEN"
    assert dict(info.metadata) == {"given": "812", "allowed": "500"}


def test_a_field_at_fault_is_a_field_violation() -> None:
    failure = failure_of(errors.InvalidDate("12/19/2025"), "r-1")
    violations = BadRequest()

    assert Status.FromString(failure.details).details[1].Unpack(violations)
    [violation] = violations.field_violations
    assert (violation.field, violation.description) == ("expiration_date", failure.message)


def test_a_long_text_is_cut_so_that_the_headers_hold_it() -> None:
    failure = failure_of(errors.SymbolNotFound("X" * 100_000), "r-1")

    assert len(failure.message) == LONGEST_TEXT + 1
    assert len(failure.details) < 6 * 1024


def test_the_advice_of_a_cause_is_not_given_twice() -> None:
    cause = f"refused: {errors.BrokerUnavailable('HTTP 502')}"

    assert str(errors.FeedUnavailable(cause)) == (
        "The market data feed is not connected (refused: TastyTrade is not available (HTTP 502)). "
        "Try again in a moment."
    )


def test_an_internal_error_says_nothing_of_what_happened() -> None:
    failure = failure_of(ValueError("canary"), "abc")

    assert failure.code is grpc.StatusCode.INTERNAL
    assert failure.message == "Internal error. Quote request id abc when reporting it."
    assert (failure.http, failure.reason) == (500, "ERROR_REASON_INTERNAL")
    assert ErrorReason.Value(failure.reason) // 100 == failure.http
    assert b"canary" not in failure.details
    assert "canary" not in failure.message
