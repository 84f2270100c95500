"""Tenants: who gets in, who may change what, and what is told to whom."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import pytest
from pydantic import SecretStr

from server.errors import (
    AdminKeyRequired,
    ApiKeyNotFound,
    ApiKeyTaken,
    InvalidApiKey,
    InvalidField,
    PrintedApiKey,
    RegistrationClosed,
    WeakApiKey,
)
from server.secret import Secret
from server.settings import Settings
from server.tenants import DEMO_API_KEY, Credentials, Tenant, Tenants
from tests.clock import ManualClock

ONE, TWO = Secret("tenant-key-one"), Secret("tenant-key-two")


def credentials(name: str) -> Credentials:
    return Credentials(
        client_secret=Secret(f"{name}-client-secret"), refresh_token=Secret(f"{name}-refresh-token")
    )


async def token(tenants: Tenants, tenant: Tenant) -> str:
    return (await tenants.credentials(tenant)).refresh_token.reveal()


class Listener:
    """Remembers what it was told, and what a caller would have got at that moment."""

    def __init__(self, tenants: Tenants, api_key: Secret = ONE) -> None:
        self.told: list[str] = []
        self.seen: list[str] = []
        self._tenants = tenants
        self._api_key = api_key

    async def __call__(self, tenant_id: str) -> None:
        self.told.append(tenant_id)
        try:
            tenant = await self._tenants.authenticate(self._api_key)
            self.seen.append(await token(self._tenants, tenant))
        except InvalidApiKey:
            self.seen.append("gone")


async def test_a_saved_key_gets_in_and_to_its_own_credentials(tenants: Tenants) -> None:
    one = await tenants.save(ONE, credentials("one"))
    two = await tenants.save(TWO, credentials("two"))
    assert one.id != two.id
    assert await tenants.authenticate(ONE) == one
    assert await tenants.authenticate(TWO) == two
    found = await tenants.credentials(one)
    assert found.client_secret == Secret("one-client-secret")
    assert found.refresh_token == Secret("one-refresh-token")
    assert await token(tenants, two) == "two-refresh-token"


async def test_a_key_that_nobody_saved_does_not(tenants: Tenants) -> None:
    await tenants.save(ONE, credentials("one"))
    near = ["tenant-key-on", "tenant-key-one ", "Tenant-key-one", "tenant-key-one\0"]
    for wrong in ["", *near, "x" * 100_000, "é\udcff\0", "nobody_has_this"]:
        with pytest.raises(InvalidApiKey, match="No credentials configured for this key"):
            await tenants.authenticate(Secret(wrong))


async def test_saving_again_replaces_and_raises_the_generation(
    tenants: Tenants, clock: ManualClock
) -> None:
    first = await tenants.save(ONE, credentials("first"))
    await clock.advance(3600)
    second = await tenants.save(ONE, credentials("second"))
    assert second.id == first.id
    assert second.generation > first.generation
    assert await tenants.authenticate(ONE) == second
    (entry,) = (await tenants.list(second)).entries
    assert entry.updated_at - entry.created_at == timedelta(hours=1)

    # Whoever still holds the old one is given the new credentials, and told that they are new.
    found = await tenants.credentials(first)
    assert found.generation == second.generation
    assert found.refresh_token.reveal() == "second-refresh-token"


async def test_a_deleted_key_is_unknown_at_once_and_for_ever(
    tenants: Tenants, database_settings: Settings, clock: ManualClock
) -> None:
    tenant = await tenants.save(ONE, credentials("one"))
    await tenants.delete(ONE, tenant)
    with pytest.raises(InvalidApiKey):
        await tenants.authenticate(ONE)

    with pytest.raises(InvalidApiKey):
        await tenants.credentials(tenant)

    async with Tenants(database_settings, clock) as again:
        with pytest.raises(InvalidApiKey):
            await again.authenticate(ONE)


async def test_a_key_registered_anew_is_another_tenant(tenants: Tenants) -> None:
    before = await tenants.save(ONE, credentials("one"))
    await tenants.delete(ONE, before)
    after = await tenants.save(ONE, credentials("one"))
    assert after.id != before.id
    with pytest.raises(InvalidApiKey):
        await tenants.credentials(before)


async def test_everything_is_there_after_a_restart(
    database_settings: Settings, clock: ManualClock
) -> None:
    async with Tenants(database_settings, clock) as tenants:
        await tenants.save(ONE, credentials("first"))
        saved = await tenants.save(ONE, credentials("second"))
        entries = await tenants.list(saved)

    async with Tenants(database_settings, clock) as tenants:
        assert await tenants.authenticate(ONE) == saved
        assert await token(tenants, saved) == "second-refresh-token"
        assert await tenants.list(saved) == entries


async def test_bad_input_changes_nothing(tenants: Tenants) -> None:
    saved = await tenants.save(ONE, credentials("one"))
    empty = Credentials(client_secret=Secret("x"), refresh_token=Secret(""))
    with pytest.raises(InvalidField, match="refresh_token"):
        await tenants.save(ONE, empty)

    with pytest.raises(WeakApiKey):
        await tenants.save(Secret("short"), credentials("two"))

    assert await tenants.authenticate(ONE) == saved
    assert tenants.statistics().tenants == 1


@pytest.fixture
def closed(database_settings: Settings) -> Settings:
    return database_settings.model_copy(update={"admin_key": SecretStr("the-admin-key")})


async def shown(tenants: Tenants, caller: Tenant | None, *, admin: bool = False) -> list[str]:
    return [entry.shown for entry in (await tenants.list(caller, admin=admin)).entries]


async def test_with_a_real_broker_everybody_sees_only_his_own_key(tenants: Tenants) -> None:
    one = await tenants.save(ONE, credentials("one"))
    await tenants.save(TWO, credentials("two"))
    page = await tenants.list(one)
    assert [entry.shown for entry in page.entries] == ["ten…one"]
    assert (page.total, page.after) == (1, None)
    assert await shown(tenants, None, admin=True) == ["ten…one", "ten…two"]
    assert await shown(tenants, None) == []


async def test_beside_the_simulator_without_an_administrator_all_are_shown_masked(
    database_settings: Settings, clock: ManualClock
) -> None:
    simulated = database_settings.model_copy(update={"broker": "simulator"})
    async with Tenants(simulated, clock) as tenants:
        one = await tenants.save(ONE, credentials("one"))
        await tenants.save(TWO, credentials("two"))
        page = await tenants.list(one)
        assert [entry.shown for entry in page.entries] == ["d…y", "ten…one", "t…o"]
        assert all(entry.configured for entry in page.entries)
        assert page.total == 3


async def test_with_an_administrator_only_he_registers_and_sees_others(
    closed: Settings, clock: ManualClock
) -> None:
    async with Tenants(closed, clock) as tenants:
        with pytest.raises(AdminKeyRequired, match="X-Admin-Key"):
            await tenants.save(ONE, credentials("one"))

        with pytest.raises(InvalidApiKey):
            await tenants.authenticate(ONE)

        await tenants.save(ONE, credentials("one"), admin=True)
        two = await tenants.save(TWO, credentials("two"), admin=True)
        assert await shown(tenants, two) == ["ten…two"]
        assert await shown(tenants, None, admin=True) == ["ten…one", "ten…two"]
        assert await shown(tenants, None) == []

        # The guide's own call goes on updating: the key in the body is the proof.
        await tenants.save(TWO, credentials("newer"))
        assert await token(tenants, two) == "newer-refresh-token"


async def test_pages_give_each_key_once_and_open_no_more_than_they_show(
    tenants: Tenants,
) -> None:
    keys = [Secret(f"key-of-tenant-{number:02}") for number in range(25)]
    for key in keys:
        await tenants.save(key, credentials("some"))

    seen, after = [], 0
    for size in (10, 10, 3):
        page = await tenants.list(None, admin=True, size=size, after=after)
        assert (len(page.entries), page.total) == (size, 25)
        seen += [entry.shown for entry in page.entries]
        assert page.after is not None
        after = page.after
        if size == 3:  # a key that is deleted, and one that is new, move nobody to another page
            await tenants.delete(keys[0], None, admin=True)
            await tenants.save(Secret("one-key-more"), credentials("some"))

    page = await tenants.list(None, admin=True, size=10, after=after)
    seen += [entry.shown for entry in page.entries]
    assert seen == [*(f"key…-{number:02}" for number in range(25)), "one…ore"]
    assert (page.after, page.total) == (None, 25)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({}, None),
        ({"host": "::1"}, None),
        ({"host": "127.0.0.2"}, None),
        ({"registration": "closed"}, RegistrationClosed),
        ({"host": "0.0.0.0"}, RegistrationClosed),
        ({"host": "0.0.0.0", "registration": "open"}, None),
        ({"host": "0.0.0.0", "broker": "simulator"}, None),
        ({"broker": "simulator", "registration": "closed"}, RegistrationClosed),
        ({"admin_key": SecretStr("a" * 16), "registration": "open"}, AdminKeyRequired),
    ],
)
async def test_who_may_register_a_new_key(
    database_settings: Settings,
    clock: ManualClock,
    change: dict[str, object],
    refusal: type[Exception] | None,
) -> None:
    async with Tenants(database_settings, clock) as tenants:
        await tenants.save(TWO, credentials("two"))

    chosen = database_settings.model_copy(update=change)
    async with Tenants(chosen, clock) as tenants:
        if refusal is None:
            await tenants.save(ONE, credentials("one"))
        else:
            with pytest.raises(refusal):
                await tenants.save(ONE, credentials("one"))

        if chosen.broker == "production":  # an existing key goes on being updated
            assert (await tenants.save(TWO, credentials("newer"))).generation == 2


async def test_only_the_key_itself_or_the_administrator_deletes_it(tenants: Tenants) -> None:
    one = await tenants.save(ONE, credentials("one"))
    two = await tenants.save(TWO, credentials("two"))
    answers = []
    for other in (TWO, Secret("nobody_has_this")):
        with pytest.raises(ApiKeyTaken) as caught:
            await tenants.delete(other, one)

        answers.append((str(caught.value), caught.value.metadata))

    assert answers[0] == answers[1]  # nobody learns whether a key exists
    assert await tenants.authenticate(TWO) == two
    with pytest.raises(InvalidApiKey):
        await tenants.delete(TWO, None)

    await tenants.delete(ONE, one)
    await tenants.delete(TWO, None, admin=True)
    assert tenants.statistics().tenants == 0
    with pytest.raises(ApiKeyNotFound, match="'ten…two' not found in credentials"):
        await tenants.delete(TWO, None, admin=True)

    with pytest.raises(InvalidApiKey):
        await tenants.delete(ONE, one)


async def test_a_key_of_one_environment_opens_nothing_in_another(
    database_settings: Settings, clock: ManualClock
) -> None:
    simulated = database_settings.model_copy(update={"broker": "simulator"})
    async with Tenants(simulated, clock) as tenants:
        demo = await tenants.authenticate(DEMO_API_KEY)
        assert await token(tenants, demo) == "demo-refresh-token"
        simulated_one = await tenants.save(ONE, credentials("simulated"))

    async with Tenants(database_settings, clock) as tenants:
        with pytest.raises(InvalidApiKey):
            await tenants.authenticate(DEMO_API_KEY)

        with pytest.raises(InvalidApiKey):
            await tenants.credentials(demo)

        with pytest.raises(PrintedApiKey):
            await tenants.save(DEMO_API_KEY, credentials("real"))

        other = await tenants.save(ONE, credentials("real"))
        assert other.id not in (demo.id, simulated_one.id)
        assert await shown(tenants, None, admin=True) == ["ten…one"]

    async with Tenants(simulated, clock) as tenants:
        assert await tenants.authenticate(DEMO_API_KEY) == demo
        assert await tenants.authenticate(ONE) == simulated_one


async def test_the_demo_tenant_is_made_once_and_left_as_people_change_it(
    database_settings: Settings, clock: ManualClock
) -> None:
    simulated = database_settings.model_copy(
        update={"broker": "simulator", "admin_key": SecretStr("the-admin-key")}
    )
    async with Tenants(simulated, clock) as tenants:
        changed = await tenants.save(DEMO_API_KEY, credentials("mine"))

    async with Tenants(simulated, clock) as tenants:
        assert await tenants.authenticate(DEMO_API_KEY) == changed
        assert await token(tenants, changed) == "mine-refresh-token"
        await tenants.delete(DEMO_API_KEY, changed)

    async with Tenants(simulated, clock) as tenants:
        demo = await tenants.authenticate(DEMO_API_KEY)
        assert await token(tenants, demo) == "demo-refresh-token"


async def test_each_change_is_told_after_its_commit_and_before_it_returns(
    tenants: Tenants,
) -> None:
    listener = Listener(tenants)
    tenants.on_change(listener)
    tenant = await tenants.save(ONE, credentials("first"))
    assert listener.seen == ["first-refresh-token"]
    await tenants.save(ONE, credentials("second"))
    assert listener.seen[1:] == ["second-refresh-token"]
    await tenants.delete(ONE, tenant)
    assert listener.seen[2:] == ["gone"]
    assert listener.told == [tenant.id] * 3
    for refused in (tenants.delete(ONE, tenant), tenants.save(Secret("x"), credentials("x"))):
        with pytest.raises((InvalidApiKey, WeakApiKey)):
            await refused

    assert len(listener.told) == 3


async def test_one_listener_that_fails_keeps_neither_the_others_nor_the_change(
    tenants: Tenants, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(tenant_id: str) -> None:
        raise RuntimeError("broken")

    listener = Listener(tenants)
    tenants.on_change(fail)
    tenants.on_change(listener)
    saved = await tenants.save(ONE, credentials("one"))
    assert await tenants.authenticate(ONE) == saved
    assert listener.told == [saved.id]
    assert "could not be told" in caplog.text


async def test_saves_at_once_all_happen_one_after_the_other(tenants: Tenants) -> None:
    listener = Listener(tenants)
    tenants.on_change(listener)
    saves = [tenants.save(ONE, credentials(f"c{n}")) for n in range(12)]
    saved = await asyncio.gather(*saves)
    assert len({tenant.id for tenant in saved}) == 1
    assert sorted(tenant.generation for tenant in saved) == list(range(1, 13))
    last = max(saved, key=lambda tenant: tenant.generation)
    assert await tenants.authenticate(ONE) == last
    assert await token(tenants, last) == f"c{saved.index(last)}-refresh-token"
    assert len(listener.told) == 12


async def test_a_save_during_authentication_is_before_or_after_it_never_between(
    tenants: Tenants,
) -> None:
    await tenants.save(ONE, credentials("c1"))
    done = asyncio.Event()

    async def call() -> int:
        calls = 0
        while not done.is_set() or not calls:
            tenant = await tenants.authenticate(ONE)
            found = await tenants.credentials(tenant)
            assert found.generation >= tenant.generation
            assert found.refresh_token.reveal() == f"c{found.generation}-refresh-token"
            assert found.client_secret.reveal() == f"c{found.generation}-client-secret"
            calls += 1

        return calls

    async with asyncio.TaskGroup() as group:
        callers = [group.create_task(call()) for _ in range(4)]
        for n in range(2, 20):
            await tenants.save(ONE, credentials(f"c{n}"))

        done.set()

    assert sum(caller.result() for caller in callers) >= 4
    assert tenants.statistics().unreadable == 0


async def test_a_save_whose_caller_goes_away_is_whole_or_not_there_and_is_told(
    database_settings: Settings, clock: ManualClock
) -> None:
    async with Tenants(database_settings, clock) as tenants:
        listener = Listener(tenants)
        tenants.on_change(listener)
        for turns in range(0, 60, 3):  # cancels at every await on the way
            task = asyncio.create_task(tenants.save(ONE, credentials(f"c{turns}")))
            for _ in range(turns):
                await asyncio.sleep(0)

            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async with Tenants(database_settings, clock) as again:
        tenant = await again.authenticate(ONE)
        found = await again.credentials(tenant)

    assert tenant.generation == len(listener.told) == tenants.statistics().saved > 1
    name = found.client_secret.reveal().removesuffix("-client-secret")
    assert found.refresh_token.reveal() == f"{name}-refresh-token"


async def test_leaving_waits_for_a_change_that_has_begun(
    database_settings: Settings, clock: ManualClock
) -> None:
    class LeavingError(Exception):
        pass

    async def leave() -> None:
        async with Tenants(database_settings, clock) as tenants:
            task = asyncio.create_task(tenants.save(ONE, credentials("one")))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            task.cancel()
            raise LeavingError

    with pytest.raises(LeavingError):  # as it was raised, not in a group
        await leave()

    async with Tenants(database_settings, clock) as tenants:
        assert await token(tenants, await tenants.authenticate(ONE)) == "one-refresh-token"


async def test_statistics_count_what_happened(tenants: Tenants) -> None:
    tenant = await tenants.save(ONE, credentials("one"))
    await tenants.authenticate(ONE)
    with pytest.raises(InvalidApiKey):
        await tenants.authenticate(TWO)

    await tenants.delete(ONE, tenant)
    statistics = tenants.statistics()
    assert (statistics.tenants, statistics.accepted, statistics.refused) == (0, 1, 1)
    assert (statistics.saved, statistics.deleted, statistics.changes) == (1, 1, 2)
