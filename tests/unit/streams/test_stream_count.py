"""Few keys, or many keys of one customer, cannot take all streams of a server."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from server.errors import TooManyStreams
from server.streams.stream_count import FEW, StreamCount


def opened(
    stack: ExitStack, count: StreamCount, tenant: str, customer: object, streams: int
) -> int:
    """Opens so many streams, as far as they are allowed, and returns how many are."""
    for number in range(streams):
        try:
            with ExitStack() as trying:
                place = trying.enter_context(count.one(tenant))
                place.belongs_to(customer)
                stack.push(trying.pop_all())
        except TooManyStreams:
            return number

    return streams


def test_a_key_has_its_bound() -> None:
    count = StreamCount("market data", per_tenant=3, total=100)
    with ExitStack() as stack:
        assert opened(stack, count, "key", "customer", 10) == 3
        with (
            pytest.raises(TooManyStreams, match="of market data: 3 of 3 allowed for this API key"),
            count.one("key"),
        ):
            pass

    assert count.total == 0


def test_two_keys_do_not_take_all() -> None:
    count = StreamCount("market data", per_tenant=100, total=200)
    with ExitStack() as stack:
        assert opened(stack, count, "key one", "customer one", 100) == 100
        assert opened(stack, count, "key two", "customer two", 100) == 50
        with (
            pytest.raises(
                TooManyStreams,
                match="150 of 150 allowed for this server, but for those with no "
                f"more than {FEW} of them",
            ),
            count.one("key two") as place,
        ):
            place.belongs_to("customer two")

        assert opened(stack, count, "honest key", "honest", 10) == FEW
        assert count.total == 154

    assert count.total == 0


def test_many_keys_of_one_customer_count_as_one() -> None:
    count = StreamCount("market data", per_tenant=100, total=200)
    with ExitStack() as stack:
        for number in range(100):
            opened(stack, count, f"key {number}", "greedy", 4)

        assert count.total == 150
        assert opened(stack, count, "honest key", "honest", 1) == 1


def test_at_the_total_everybody_is_refused() -> None:
    count = StreamCount("account events", per_tenant=4, total=8)
    with ExitStack() as stack:
        for number in range(8):
            assert opened(stack, count, f"key {number}", f"customer {number}", 1) == 1

        with (
            pytest.raises(
                TooManyStreams, match=r"of account events: 8 of 8 allowed for this server\. Close"
            ),
            count.one("another"),
        ):
            pass
