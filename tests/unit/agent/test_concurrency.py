"""What runs at once: by tenant, in all, and the part that is kept for who has nothing."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from server.agent.concurrency import ConcurrencyLimit, LimitReached


def test_a_tenant_has_so_many_and_the_places_come_back() -> None:
    limit = ConcurrencyLimit(per_tenant=2, total=100)
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(limit.hold("anna"))

        with pytest.raises(LimitReached) as raised, limit.hold("anna"):
            pass

        with limit.hold("bob"):
            assert limit.statistics().running == 3

    assert (raised.value.running, raised.value.allowed) == (2, 2)
    assert raised.value.whose == "API key"
    assert (limit.statistics().running, limit.statistics().refused) == (0, 1)
    with limit.hold("anna"):
        pass


def test_a_block_that_fails_gives_its_place_back() -> None:
    limit = ConcurrencyLimit(per_tenant=1, total=1)
    with pytest.raises(ZeroDivisionError), limit.hold("anna"):
        raise ZeroDivisionError

    assert limit.statistics().running == 0


def test_the_last_quarter_is_for_tenants_of_whom_nothing_runs() -> None:
    limit = ConcurrencyLimit(per_tenant=8, total=8)
    with ExitStack() as held:
        for _ in range(6):
            held.enter_context(limit.hold("anna"))

        with pytest.raises(LimitReached) as raised, limit.hold("anna"):
            pass

        assert (raised.value.running, raised.value.allowed) == (6, 6)
        assert raised.value.whose == "server"
        for name in ("bob", "carl"):
            held.enter_context(limit.hold(name))

        with pytest.raises(LimitReached) as raised, limit.hold("dora"):
            pass

    assert (raised.value.running, raised.value.allowed) == (8, 8)
