"""Who may call what, and with which key."""

from __future__ import annotations

import asyncio

import pytest

from server.errors import (
    AmbiguousApiKey,
    GatewayError,
    InvalidAdminKey,
    InvalidApiKey,
    MissingApiKey,
)
from server.rpc.call import Call
from server.rpc.guesses import GuessBrake
from server.rpc.interceptors.auth import Auth
from server.rpc.methods import Access
from server.secret import Secret
from tests.clock import ManualClock
from tests.front import KEY, OTHER_KEY, Keys, rpc

ADMIN = "key-of-the-administrator"


async def ask(
    access: Access, *keys: str, admin: str | None = None, configured: str = ADMIN
) -> Call:
    """Returns the call as the servicer would see it."""
    given = [("x-api-key", key) for key in keys]
    if admin is not None:
        given.append(("x-admin-key", admin))

    call = Call(
        method=rpc("Do", lambda *_: None, access=access).method,
        draining=asyncio.Event(),
        metadata=tuple(given),
    )
    seen = []

    async def servicer(call: Call) -> None:
        seen.append(call)

    await Auth(Keys(), Secret(configured), GuessBrake(ManualClock())).around(call, servicer)
    assert seen == [call]
    return call


async def test_a_key_names_its_tenant() -> None:
    assert (await ask(Access.KEY, KEY)).tenant.id == "first"
    assert (await ask(Access.KEY, OTHER_KEY)).tenant.id == "second"


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ((), MissingApiKey),
        (("",), MissingApiKey),
        (("unknown-key",), InvalidApiKey),
        ((KEY, KEY), AmbiguousApiKey),
        ((KEY, OTHER_KEY), AmbiguousApiKey),
        (("", KEY), AmbiguousApiKey),
    ],
)
@pytest.mark.parametrize("access", [Access.KEY, Access.KEY_OR_ADMIN])
async def test_anything_but_one_known_key_is_refused(
    access: Access, keys: tuple[str, ...], error: type[GatewayError]
) -> None:
    with pytest.raises(error):
        await ask(access, *keys)


@pytest.mark.parametrize("keys", [(), ("unknown-key",), (KEY, KEY)])
async def test_an_open_rpc_looks_at_no_key(keys: tuple[str, ...]) -> None:
    call = await ask(Access.OPEN, *keys)

    with pytest.raises(MissingApiKey):
        _ = call.tenant


async def test_the_administrator_is_known_by_the_key() -> None:
    assert (await ask(Access.OPEN, admin=ADMIN)).admin
    assert not (await ask(Access.OPEN)).admin


async def test_a_wrong_administrators_key_is_refused_everywhere() -> None:
    for access in Access:
        with pytest.raises(InvalidAdminKey):
            await ask(access, KEY, admin="wrong")


async def test_without_an_administrator_nobody_is_one() -> None:
    for key in ("", "anything"):
        assert not (await ask(Access.OPEN, admin=key, configured="")).admin


async def test_the_administrator_needs_no_tenant_where_the_policy_says_so() -> None:
    call = await ask(Access.KEY_OR_ADMIN, admin=ADMIN)

    assert call.admin
    assert call.known_tenant is None
    with pytest.raises(MissingApiKey):
        await ask(Access.KEY, admin=ADMIN)
    with pytest.raises(MissingApiKey):
        await ask(Access.KEY_OR_ADMIN, admin="", configured="")
