"""The agent's caps: counted before an order goes, given back where nothing went."""

from __future__ import annotations

from decimal import Decimal

import pytest

from server.agent.caps import Caps
from server.errors import OverChatDayCap
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
