"""Tickets: one code, one change, one tenant, for two minutes."""

from __future__ import annotations

from typing import Any

import pytest
from tasty.v1.order_placement_pb2 import PlaceOrderRequest

from server.agent.tickets import DIGITS, LETTERS, MOST, Ticket, Tickets, code_in, new_code
from server.contract.tools import load_tools
from server.tenants import Tenant
from tests.clock import ManualClock

ANNA = Tenant(id="anna", generation=1)
BEN = Tenant(id="ben", generation=1)


def put(tickets: Tickets, tenant: Tenant = ANNA, account_id: str = "5WT00001") -> Ticket:
    def make(code: str, expires_at: Any, due: float) -> Ticket:
        return Ticket(
            code=code,
            tenant=tenant,
            tool=load_tools()["place_order"],
            account_id=account_id,
            summary="an order",
            request=PlaceOrderRequest(),
            arguments="{}",
            preview=None,
            mid=None,
            notional=1,
            expires_at=expires_at,
            due=due,
        )

    return tickets.put(make)


def test_a_code_works_once() -> None:
    tickets = Tickets(ManualClock())
    ticket = put(tickets)
    assert tickets.take(ANNA, ticket.code) is ticket
    assert tickets.take(ANNA, ticket.code) is None


async def test_a_code_works_for_two_minutes() -> None:
    clock = ManualClock()
    tickets = Tickets(clock)
    early, late = put(tickets), put(tickets)
    await clock.advance(119.9)
    assert tickets.take(ANNA, early.code) is early

    await clock.advance(0.1)
    assert tickets.take(ANNA, late.code) is None
    assert tickets.statistics().expired == 1
    assert tickets.statistics().waiting == 0


def test_a_code_works_for_its_tenant_and_account_only() -> None:
    tickets = Tickets(ManualClock())
    ticket = put(tickets)
    assert tickets.take(BEN, ticket.code) is None
    assert tickets.take(ANNA, ticket.code, "5WT00002") is None
    assert tickets.take(ANNA, ticket.code, "5WT00001") is ticket


def test_a_change_of_no_account_is_confirmed_whatever_account_the_talk_is_about() -> None:
    tickets = Tickets(ManualClock())
    ticket = put(tickets, account_id="")
    assert tickets.take(BEN, ticket.code, "5WT00001") is None
    assert tickets.take(ANNA, ticket.code, "5WT00001") is ticket


async def test_new_credentials_end_all_codes() -> None:
    tickets = Tickets(ManualClock())
    ticket = put(tickets)
    assert tickets.waiting(Tenant(id="anna", generation=2)) == ()
    assert tickets.take(Tenant(id="anna", generation=2), ticket.code) is None

    await tickets.forget("anna")
    assert tickets.take(ANNA, ticket.code) is None


def test_the_oldest_makes_room() -> None:
    tickets = Tickets(ManualClock())
    made = [put(tickets) for _ in range(MOST + 1)]
    assert tickets.take(ANNA, made[0].code) is None
    assert tickets.take(ANNA, made[1].code) is made[1]


def test_codes_are_codes() -> None:
    codes = {new_code() for _ in range(2000)}
    assert len(codes) > 1990
    for code in codes:
        assert set(code) <= set(LETTERS + DIGITS)
        assert code_in(f"Please confirm {code.lower()}, now") == [code]


@pytest.mark.parametrize(
    "text",
    [
        "confirm please",
        "buy 100000 shares",
        "order 1000018",
        "SPY   251219P00685000",
        "5WT00001",
        "K7QM3",
        "K7QM3FF",
        "xK7QM3Fx",
    ],
)
def test_other_words_are_no_codes(text: str) -> None:
    assert code_in(text) == []
