"""Finds out who calls: `x-api-key` names a tenant, `x-admin-key` proves the administrator."""

from __future__ import annotations

__all__ = ["Auth", "Authenticator"]

from typing import Any, Protocol

from server.errors import (
    AmbiguousApiKey,
    InvalidAdminKey,
    MissingApiKey,
    OrderNotRecorded,
    StoreUnavailable,
)
from server.logs import hide
from server.rpc.call import Call
from server.rpc.chain import Body
from server.rpc.methods import Access, Lane
from server.secret import Secret
from server.tenants import Tenant


class Authenticator(Protocol):
    """Who knows the keys."""

    async def authenticate(self, api_key: Secret, *, unconfirmed: bool = False) -> Tenant:
        """Returns the tenant of a key; raises InvalidApiKey."""


class Auth:
    """A key that an open rpc does not need is not looked at, so it cannot make the call fail."""

    def __init__(self, tenants: Authenticator, admin_key: Secret) -> None:
        self._tenants = tenants
        self._admin_key = admin_key

    async def around(self, call: Call, proceed: Body) -> Any:
        if call.inner:
            return await proceed(call)

        call.admin = self._is_admin(call)
        access = call.method.access
        if access is not Access.OPEN:
            keys = call.headers("x-api-key")
            if len(keys) > 1:
                # One of them would win, and whoever set the other believes in that.
                raise AmbiguousApiKey

            if keys and keys[0]:
                hide(keys[0])
                call.known_tenant = await self._tenant(call, Secret(keys[0]))
            elif not (access is Access.KEY_OR_ADMIN and call.admin):
                raise MissingApiKey

        return await proceed(call)

    async def _tenant(self, call: Call, api_key: Secret) -> Tenant:
        lane = call.method.lane
        try:
            # A cancel goes out while the store cannot confirm the key.
            unconfirmed = lane is Lane.CANCEL
            return await self._tenants.authenticate(api_key, unconfirmed=unconfirmed)
        except StoreUnavailable as failure:
            if lane is Lane.ORDER:
                raise OrderNotRecorded from failure

            raise

    def _is_admin(self, call: Call) -> bool:
        given = call.header("x-admin-key")
        if given is None or not self._admin_key:
            return False

        hide(given)
        if Secret(given) != self._admin_key:  # compares in constant time
            raise InvalidAdminKey

        return True
