"""The agent's caps: counted before an order goes, given back where nothing went."""

from __future__ import annotations

from decimal import Decimal

import pytest

from server.agent.caps import Caps
from server.errors import OverChatDayCap, OverChatOrderCap, TooManyChatOrders
from server.settings import Settings
from tests.clock import ManualClock

DAY_S = 86_400


def caps_of(clock: ManualClock) -> Caps:
    return Caps(Settings(anthropic_api_key="", chat_order_cap=1000, chat_day_cap=1000), clock)


def test_what_is_given_back_can_be_used_again() -> None:
    caps = caps_of(ManualClock())
    reservation = caps.reserve("anna", Decimal(1000))
    with pytest.raises(OverChatDayCap):
        caps.reserve("anna", Decimal(1))

    caps.check("ben", Decimal(1000))
    reservation.give_back()
    caps.check("anna", Decimal(1000))


async def test_what_is_given_back_a_day_later_makes_no_room_beyond_the_cap() -> None:
    clock = ManualClock()
    caps = caps_of(clock)
    yesterday = caps.reserve("anna", Decimal(1000))
    await clock.advance(DAY_S)
    caps.reserve("anna", Decimal(600))
    yesterday.give_back()
    with pytest.raises(OverChatDayCap):
        caps.reserve("anna", Decimal(500))


def test_what_closes_is_counted_apart_under_the_same_amounts() -> None:
    caps = caps_of(ManualClock())
    caps.reserve("anna", Decimal(900))
    caps.reserve("anna", Decimal(0), closing=Decimal(900))
    with pytest.raises(OverChatDayCap):
        caps.check("anna", Decimal(0), closing=Decimal(200))
    with pytest.raises(OverChatOrderCap):
        caps.check("ben", Decimal(0), closing=Decimal(1001))

    caps.check("anna", Decimal(100), closing=Decimal(100))


def test_an_account_is_capped_whoever_trades_in_it() -> None:
    caps = caps_of(ManualClock())
    caps.reserve("anna", Decimal(1000), account_id="A1")
    with pytest.raises(OverChatDayCap):
        caps.check("ben", Decimal(1), account_id="A1")

    caps.check("ben", Decimal(1), account_id="B1")


async def test_orders_that_consist_of_several_count_as_many() -> None:
    clock = ManualClock()
    caps = caps_of(clock)
    for _ in range(6):
        caps.reserve("anna", Decimal(0), orders=3)

    given_back = caps.reserve("anna", Decimal(0), orders=2)
    caps.note("anna")
    with pytest.raises(TooManyChatOrders):
        caps.check("anna", Decimal(0))

    given_back.give_back()
    caps.check("anna", Decimal(0))  # 6 times 3 and one more: there is room for one
    await clock.advance(3600)
    caps.check("anna", Decimal(0), orders=20)


async def test_who_uses_nothing_is_forgotten() -> None:
    clock = ManualClock()
    caps = caps_of(clock)
    for number in range(10_000):
        caps.check(f"tenant-{number}", Decimal(1))

    assert len(caps._used) < 5000
