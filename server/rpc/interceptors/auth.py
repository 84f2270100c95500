"""Finds out who calls: `x-api-key` names a tenant, `x-admin-key` proves the administrator."""

from __future__ import annotations

__all__ = ["Auth", "Authenticator"]

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cache
from typing import Any, Protocol, TypeVar

from server.errors import (
    AmbiguousApiKey,
    BadInput,
    InvalidAdminKey,
    InvalidApiKey,
    MissingApiKey,
    OrderNotRecorded,
    StoreUnavailable,
    TooManyWrongKeys,
)
from server.logs import hide
from server.rpc.call import Call
from server.rpc.chain import Body
from server.rpc.guesses import GuessBrake
from server.rpc.methods import Access, Lane, Method
from server.rpc.reading import Read, reader_of
from server.secret import Secret
from server.tenants import Tenant

T = TypeVar("T")

ADMIN = "\0admin"
"""Marks what is remembered of the administrator's key; no API key has this character."""

LARGEST_LOOK = 16 * 1024
"""Bytes of the largest request that is looked into for a key: credentials fit in twice."""


class Authenticator(Protocol):
    """Who knows the keys."""

    async def authenticate(self, api_key: Secret, *, unconfirmed: bool = False) -> Tenant:
        """Returns the tenant of a key; raises InvalidApiKey."""


class Auth:
    """A key that an open rpc does not need cannot make the call fail; see `_presenter`."""

    def __init__(self, tenants: Authenticator, admin_key: Secret, guesses: GuessBrake) -> None:
        self._tenants = tenants
        self._admin_key = admin_key
        self._guesses = guesses

    async def around(self, call: Call, proceed: Body) -> Any:
        if call.inner:
            return await proceed(call)

        address = call.address
        call.admin = await self._is_admin(call, address)
        access = call.method.access
        if access is Access.OPEN:
            saving = self._saving if call.method.key_field else _as_it_is
            return await saving(call, address, proceed)

        keys = call.headers("x-api-key")
        if len(keys) > 1:
            # One of them would win, and whoever set the other believes in that.
            raise AmbiguousApiKey

        if keys and keys[0]:
            call.known_tenant = await self._tenant(call, address, keys[0])
        elif not (access is Access.KEY_OR_ADMIN and call.admin):
            raise MissingApiKey

        return await proceed(call)

    async def _tenant(self, call: Call, address: str, key: str) -> Tenant:
        hide(key)
        tenant = await self._judged(
            call, address, key, InvalidApiKey, lambda: self._authenticated(call, Secret(key))
        )
        return replace(tenant, address=address)

    async def _authenticated(self, call: Call, api_key: Secret) -> Tenant:
        lane = call.method.lane
        try:
            # A cancel goes out while the store cannot confirm the key.
            unconfirmed = lane is Lane.CANCEL
            return await self._tenants.authenticate(api_key, unconfirmed=unconfirmed)
        except StoreUnavailable as failure:
            if lane is Lane.ORDER:
                raise OrderNotRecorded from failure

            raise

    async def _is_admin(self, call: Call, address: str) -> bool:
        given = call.header("x-admin-key")
        if given is None or not self._admin_key:
            return False

        hide(given)

        async def compare() -> bool:
            if Secret(given) != self._admin_key:  # compares in constant time
                raise InvalidAdminKey

            return True

        return await self._judged(call, address, ADMIN + given, InvalidAdminKey, compare)

    async def _judged(
        self,
        call: Call,
        address: str,
        key: str,
        wrong: type[Exception],
        judge: Callable[[], Awaitable[T]],
    ) -> T:
        """Returns what `judge` says of a key, in the key's turn if it has not lately worked."""
        guesses = self._guesses
        pair = guesses.pair(address, key)
        looked_at = None
        if not guesses.worked_lately(pair):
            looked_at = await guesses.turn(address, call.deadline)

        try:
            found = await judge()
        except wrong:
            guesses.wrong(address, pair)
            raise

        guesses.right(address, pair, looked_at)
        return found

    async def _saving(self, call: Call, address: str, proceed: Body) -> Any:
        """Goes on with a call that changes what a key in its request stands for."""
        key = _key_in(call)
        call.presenter = await self._presenter(call, address, key)
        answer = await proceed(call)
        if key:
            self._guesses.right(address, self._guesses.pair(address, key))

        return answer

    async def _presenter(self, call: Call, address: str, key: str) -> Tenant | None:
        """Returns who shows to hold a key; whoever does not is served after them.

        A key in the header is looked at like on any call. One in the request only if it has lately
        worked from this address: else the quick answers would tell which of many keys exist.
        """
        guesses = self._guesses
        given = [name for name in call.headers("x-api-key") if name]
        if key and guesses.worked_lately(guesses.pair(address, key)):
            given.append(key)

        for each in given[-1:]:
            try:
                return await self._tenant(call, address, each)
            except (InvalidApiKey, TooManyWrongKeys):
                continue

        return None


@cache
def _reader(method: Method) -> Read:
    return reader_of(method)


async def _as_it_is(call: Call, _address: str, proceed: Body) -> Any:
    return await proceed(call)


def _key_in(call: Call) -> str:
    """Returns the key that the request names; empty for a request that will be refused anyway."""
    if not isinstance(call.request, bytes) or len(call.request) > LARGEST_LOOK:
        return ""

    try:
        request = _reader(call.method)(call, call.request)
    except BadInput:
        return ""

    return str(getattr(request, call.method.key_field))
