"""One amount is shared so that whoever holds little always finds some."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.shares import Limit, Shares, Whose


def test_an_owner_meets_his_own_bound_first() -> None:
    shares = Shares(total=100, each=10, light=2)
    shares.take("a", 10)
    assert shares.limit("a", 1) == Limit(whose=Whose.OWNER, held=10, allowed=10)
    assert shares.limit("b", 10) is None
    assert shares.limit("b", 11) == Limit(whose=Whose.OWNER, held=0, allowed=10)


def test_the_last_quarter_is_for_those_who_hold_little() -> None:
    shares = Shares(total=100, each=100, light=2)
    shares.take("a", 75)
    assert shares.limit("a", 1) == Limit(whose=Whose.KEPT, held=75, allowed=75)
    assert shares.limit("b", 3) == Limit(whose=Whose.KEPT, held=75, allowed=75)
    assert shares.limit("b", 2) is None
    shares.take("b", 2)
    assert shares.limit("b", 1) is not None


def test_at_the_end_it_is_used_up_for_everybody() -> None:
    shares = Shares(total=8, each=8, light=2)
    shares.take("a", 6)
    shares.take("b", 2)
    assert shares.limit("c", 1) == Limit(whose=Whose.ALL, held=8, allowed=8)
    shares.give_back("b", 2)
    found = shares.limit("c", 3)
    assert found is not None
    assert found.room == 2


def test_the_most_that_anybody_holds_is_known() -> None:
    shares = Shares(total=8, each=8, light=2)
    assert shares.largest == 0
    shares.take("a", 3)
    shares.take("b", 4)
    assert shares.largest == 4
    shares.give_back("b", 2)
    assert shares.largest == 3


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 40))))
def test_whatever_is_asked_nobody_and_nothing_passes_its_bound(
    wishes: list[tuple[str, int]],
) -> None:
    shares = Shares(total=100, each=60, light=5)
    taken = []
    for owner, amount in wishes:
        if shares.limit(owner, amount) is None:
            shares.take(owner, amount)
            taken.append((owner, amount))

        assert shares.total <= 100
        assert shares.held(owner) <= 60
        assert shares.total == sum(amount for _, amount in taken)

    for owner, amount in taken:
        shares.give_back(owner, amount)

    assert shares.total == 0
    assert not shares._held
