"""Credentials routes: what a request entrusts to us, and the masked keys that a listing shows."""

from __future__ import annotations

__all__ = ["deletion_to", "entries_to", "key_from", "registration_from", "registration_to"]

from collections.abc import Sequence

from tasty.v1 import credentials_pb2
from tasty.v1 import credentials_service_pb2 as pb

from server.secret import Secret
from server.tenants import ApiKeyEntry, Credentials
from server.wire.times import timestamp


def key_from(request: pb.SaveCredentialsRequest | pb.DeleteCredentialsRequest) -> Secret:
    """Returns the API key that the request names."""
    return Secret(request.api_key)


def registration_from(request: pb.SaveCredentialsRequest) -> Credentials:
    """Returns the credentials to be stored."""
    return Credentials(
        client_secret=Secret(request.client_secret), refresh_token=Secret(request.refresh_token)
    )


def registration_to(request: pb.SaveCredentialsRequest) -> pb.SaveCredentialsResponse:
    """Returns the guide's own words."""
    return pb.SaveCredentialsResponse(
        success=True,
        api_key=request.api_key,
        message="Credentials saved successfully. Existing sessions and agents cleared.",
    )


def entries_to(entries: Sequence[ApiKeyEntry]) -> pb.ListCredentialsResponse:
    """Returns the listing, in the order of the entries."""
    return pb.ListCredentialsResponse(
        api_keys=[
            credentials_pb2.ApiKeyEntry(
                api_key=entry.shown,
                configured=entry.configured,
                created_at=timestamp(entry.created_at),
                updated_at=timestamp(entry.updated_at),
            )
            for entry in entries
        ],
        count=len(entries),
    )


def deletion_to(request: pb.DeleteCredentialsRequest) -> pb.DeleteCredentialsResponse:
    """Returns the confirmation, with the key as it was given."""
    return pb.DeleteCredentialsResponse(
        success=True,
        api_key=request.api_key,
        message="Credentials deleted. Existing sessions and agents cleared.",
    )
