"""Credentials routes: what a request entrusts to us, and the masked keys that a listing shows."""

from __future__ import annotations

__all__ = [
    "deletion_to",
    "key_from",
    "page_from",
    "page_to",
    "registration_from",
    "registration_to",
]

import re

from tasty.v1 import credentials_pb2
from tasty.v1 import credentials_service_pb2 as pb

from server.errors import InvalidField
from server.secret import Secret
from server.tenants import ApiKeyPage, Credentials
from server.wire.times import timestamp

PAGE = 100
"""Keys on a page, unless the request says how many; as the contract has it."""

TOKEN = re.compile(r"[0-9]{1,15}")
"""Where a page begins: the number of a change of the journal, which tells nothing."""


def key_from(request: pb.SaveCredentialsRequest | pb.DeleteCredentialsRequest) -> Secret:
    """Returns the API key that the request names."""
    return Secret(request.api_key)


def registration_from(request: pb.SaveCredentialsRequest) -> Credentials:
    """Returns the credentials to be stored."""
    return Credentials(
        client_secret=Secret(request.client_secret), refresh_token=Secret(request.refresh_token)
    )


def registration_to(key: Secret) -> pb.SaveCredentialsResponse:
    """Returns the guide's own words."""
    return pb.SaveCredentialsResponse(
        success=True,
        api_key=key.reveal(),
        message="Credentials saved successfully. Existing sessions and agents cleared.",
    )


def page_from(request: pb.ListCredentialsRequest) -> tuple[int, int]:
    """Returns how many keys are asked for, and the number that they come after."""
    size = request.page_size if request.HasField("page_size") else PAGE
    token = request.page_token
    if token and not TOKEN.fullmatch(token):
        raise InvalidField("page_token", token, "the next_page_token of an earlier page")

    return size, int(token or 0)


def page_to(page: ApiKeyPage) -> pb.ListCredentialsResponse:
    """Returns a page of the listing, in the order of the entries."""
    return pb.ListCredentialsResponse(
        api_keys=[
            credentials_pb2.ApiKeyEntry(
                api_key=entry.shown,
                configured=entry.configured,
                created_at=timestamp(entry.created_at),
                updated_at=timestamp(entry.updated_at),
            )
            for entry in page.entries
        ],
        count=page.total,
        next_page_token="" if page.after is None else str(page.after),
    )


def deletion_to(request: pb.DeleteCredentialsRequest) -> pb.DeleteCredentialsResponse:
    """Returns the confirmation, with the key as it was given."""
    return pb.DeleteCredentialsResponse(
        success=True,
        api_key=request.api_key,
        message="Credentials deleted. Existing sessions and agents cleared.",
    )
