"""Registers, lists and forgets API keys; who may do what is decided by `Tenants`."""

from __future__ import annotations

__all__ = ["Credentials"]

from tasty.v1 import credentials_service_pb2 as pb
from tasty.v1 import credentials_service_pb2_grpc

from server.logs import hide
from server.rpc.call import current_call
from server.tenants import Tenants, generate_api_key
from server.wire import credentials as wire


class Credentials(credentials_service_pb2_grpc.CredentialsServiceServicer):
    """The credentials routes, for tenants and the administrator."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants

    async def SaveCredentials(  # noqa: N802 - named by the contract
        self, request: pb.SaveCredentialsRequest, context: object
    ) -> pb.SaveCredentialsResponse:
        key = wire.key_from(request) if request.HasField("api_key") else generate_api_key()
        for secret in (key.reveal(), request.client_secret, request.refresh_token):
            hide(secret)

        given = wire.registration_from(request)
        await self._tenants.save(key, given, admin=current_call().admin)
        return wire.registration_to(key)

    async def ListCredentials(  # noqa: N802 - named by the contract
        self, request: pb.ListCredentialsRequest, context: object
    ) -> pb.ListCredentialsResponse:
        call = current_call()
        size, after = wire.page_from(request)
        page = await self._tenants.list(call.known_tenant, admin=call.admin, size=size, after=after)
        return wire.page_to(page)

    async def DeleteCredentials(  # noqa: N802 - named by the contract
        self, request: pb.DeleteCredentialsRequest, context: object
    ) -> pb.DeleteCredentialsResponse:
        call = current_call()
        hide(request.api_key)
        await self._tenants.delete(wire.key_from(request), call.known_tenant, admin=call.admin)
        return wire.deletion_to(request)
