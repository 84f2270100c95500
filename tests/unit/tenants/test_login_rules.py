"""The arithmetic of the budget: who may log in with credentials that never worked, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.tenants.login_rules import HOUR, WINDOW, Attempt, Standing, held_back

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
TOTAL = 10


def attempt(
    tenant: str = "t",
    address: str = "a",
    *,
    ago: float = 0,
    standing: Standing = Standing.NEW,
    running: bool = False,
) -> Attempt:
    return Attempt(
        tenant_id=tenant,
        address=address.encode(),
        begun_at=NOW - timedelta(minutes=ago),
        standing=standing,
        running=running,
    )


def whose(attempts: list[Attempt], login: Attempt, at: datetime = NOW) -> str | None:
    held = held_back(attempts, login, total=TOTAL, now=at)
    return None if held is None else held.whose


def test_an_address_gets_two_an_hour_whatever_tenants_it_makes() -> None:
    before = [attempt("one"), attempt("two")]
    assert whose(before[:1], attempt("three")) is None
    assert whose(before, attempt("three")) == "address"
    assert whose(before, attempt("three", "elsewhere")) is None


def test_a_tenant_gets_two_an_hour_from_wherever_it_calls() -> None:
    before = [attempt(address="one"), attempt(address="two")]
    assert whose(before, attempt(address="three")) == "API key"
    replaced = attempt(address="three", standing=Standing.REPLACED)
    assert whose(before, replaced) == "API key"


def test_logins_that_run_count_like_refused_ones_and_are_told_apart() -> None:
    held = held_back(
        [attempt("one", running=True), attempt("two", running=True)],
        attempt("three"),
        total=TOTAL,
        now=NOW,
    )
    assert held is not None
    assert held.running
    refused = held_back([attempt("one"), attempt("two")], attempt("three"), total=TOTAL, now=NOW)
    assert refused is not None
    assert not refused.running


def test_strangers_use_up_their_half_and_never_the_other() -> None:
    before: list[Attempt] = []
    for number in range(100):
        stranger = attempt(f"t{number}", f"a{number}")
        if whose(before, stranger) is None:
            before.append(stranger)

    assert len(before) == TOTAL - TOTAL // 2
    assert whose(before, attempt("owner", "a0", standing=Standing.REPLACED)) is None


def test_one_address_leaves_places_to_the_others() -> None:
    before: list[Attempt] = []
    for minute in range(8 * 60):
        login = Attempt(
            tenant_id=f"t{minute}",
            address=b"hostile",
            begun_at=NOW + timedelta(minutes=minute),
            standing=Standing.NEW,
            running=False,
        )
        if held_back(before, login, total=TOTAL, now=login.begun_at) is None:
            before.append(login)

    assert len(before) == 3
    later = NOW + timedelta(hours=7)
    assert whose(before, attempt("honest", "elsewhere"), later) is None


def test_one_tenant_whose_grant_worked_leaves_places_to_the_others() -> None:
    before: list[Attempt] = []
    for minute in range(8 * 60):
        login = Attempt(
            tenant_id="hostile",
            address=b"",
            begun_at=NOW + timedelta(minutes=minute),
            standing=Standing.REPLACED,
            running=False,
        )
        if held_back(before, login, total=TOTAL, now=login.begun_at) is None:
            before.append(login)

    assert len(before) < TOTAL // 2
    later = NOW + timedelta(hours=7)
    assert whose(before, attempt("honest", standing=Standing.REPLACED), later) is None


def test_a_cure_is_tried_after_any_number_of_revoked_grants() -> None:
    """Grants that worked and were revoked are counted, but keep nobody from replacing theirs."""
    before = [attempt(f"t{n}", standing=Standing.WORKED) for n in range(50)]
    assert whose(before, attempt("t7", standing=Standing.REPLACED)) is None
    assert whose(before, attempt("stranger", "elsewhere")) == "server"


@pytest.mark.parametrize(
    ("before", "login", "until"),
    [
        ([attempt(ago=50), attempt(ago=10)], attempt(), NOW + timedelta(minutes=10)),
        ([attempt("b", ago=59), attempt("c", ago=58)], attempt(), NOW + timedelta(minutes=1)),
        (
            [attempt(f"t{n}", f"a{n}", ago=60 * n + 1) for n in range(5)],
            attempt(),
            NOW + WINDOW - timedelta(minutes=241),
        ),
    ],
    ids=["hour of the tenant", "hour of the address", "all of the server"],
)
def test_the_time_that_is_told_is_when_it_is_admitted(
    before: list[Attempt], login: Attempt, until: datetime
) -> None:
    held = held_back(before, login, total=TOTAL, now=NOW)
    assert held is not None
    assert held.until == until
    assert held_back(before, login, total=TOTAL, now=until) is None
    assert held_back(before, login, total=TOTAL, now=until - timedelta(seconds=1)) is not None


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.integers(0, 2),
            st.integers(1, 600),
            st.sampled_from([Standing.NEW, Standing.REPLACED]),
        ),
        max_size=80,
    )
)
def test_no_order_of_refusals_passes_the_total(
    steps: list[tuple[int, int, int, Standing]],
) -> None:
    now, sent = NOW, [attempt(ago=10_000)]
    for tenant, address, seconds, standing in steps:
        now += timedelta(seconds=seconds)
        login = Attempt(
            tenant_id=f"{standing}{tenant}",
            address=str(address).encode(),
            begun_at=now,
            standing=standing,
            running=False,
        )
        held = held_back(sent, login, total=TOTAL, now=now)
        if held is None:
            sent.append(login)
        else:
            assert now < held.until <= now + WINDOW

        counted = [one for one in sent if one.begun_at > now - WINDOW]
        assert len(counted) <= TOTAL
        assert (
            sum(one.tenant_id == login.tenant_id and one.begun_at > now - HOUR for one in counted)
            <= 2
        )
