"""What a model may close, by the market of it: near the middle, in a market that is one."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from server.agent.caps import Caps
from server.brokerage.api.order_specs import LegSpec, OrderSpec
from server.errors import (
    BrokerTimeout,
    MarketNotSeen,
    NotCapped,
    OrderRefused,
    OverChatDayCap,
    TooFarFromMarket,
)
from server.orders.model.pricing import LegQuote, PricedLeg, price
from server.orders.model.ticks import Grid
from server.orders.placing.model_order_guard import Guard, Weighed
from server.orders.placing.order_preparer import Prepared
from server.rpc.call import Call, Origin
from server.rpc.methods import contract_methods
from server.rpc.model_guard import ModelGuard
from server.settings import Settings
from server.tenants import Tenant
from tests.clock import START, ManualClock

METHOD = next(each for each in contract_methods() if each.name == "PlaceOrder")


def call(origin: Origin = Origin.CHAT) -> Call:
    return Call(
        method=METHOD,
        draining=asyncio.Event(),
        inner=True,
        decided_by=origin,
        known_tenant=Tenant(id="anna", generation=1),
    )


def guarding(**settings: Any) -> ModelGuard:
    chosen = Settings(anthropic_api_key="", **settings)
    return ModelGuard(chosen, Caps(chosen, ManualClock()))


def order(
    bid: str | None = "4.40",
    ask: str | None = "4.60",
    *,
    action: str = "Sell to Close",
    closing: str | None = "450",
    **fields: Any,
) -> Prepared:
    quote = LegQuote(
        symbol="X",
        bid=None if bid is None else Decimal(bid),
        ask=None if ask is None else Decimal(ask),
        received_at=START,
        age=timedelta(),
        source="stream",
        stale=False,
    )
    leg = PricedLeg(buys=action.startswith("Buy"), quantity=Decimal(1), quote=quote)
    crossed = quote.bid is not None and quote.ask is not None and quote.bid > quote.ask
    return Prepared(
        spec=OrderSpec(
            legs=(
                LegSpec(
                    symbol="X",
                    instrument_type="Equity Option",
                    action=action,
                    quantity=Decimal(1),
                ),
            ),
            time_in_force="Day",
            **{"order_type": "Market", **fields},
        ),
        price_source="",
        pricing=None if crossed else price([leg], Grid(())),
        quotes={"X": quote},
        notional=Decimal(0),
        symbols=("X",),
        closes=True,
        closing=None if closing is None else Decimal(closing),
    )


def weighed(*parts: Prepared, opening: str | None = "0") -> Weighed:
    closing = [part.closing for part in parts]
    known = [each for each in closing if each is not None]
    return Weighed(
        parts=parts,
        opening=None if opening is None else Decimal(opening),
        closing=sum(known, Decimal(0)) if len(known) == len(closing) else None,
    )


def limit(text: str, **fields: Any) -> dict[str, Any]:
    return {"order_type": "Limit", "price": Decimal(text), **fields}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        limit("4.28"),
        limit("4.28", bid="4.00", ask="5.00"),
        limit("999"),
        limit("-4.72", action="Buy to Close"),
        limit("-0.01", action="Buy to Close"),
        {"order_type": "Stop", "stop_trigger": Decimal("0.10")},
        {"order_type": "Stop Limit", "stop_trigger": Decimal(4), "price": Decimal("0.01")},
        {"bid": "0.05", "ask": "0.15"},
    ],
    ids=str,
)
def test_near_the_middle_a_model_may_close(fields: dict[str, Any]) -> None:
    with guarding().around(call(), "A1") as guard:
        assert guard is not None
        guard.admit(weighed(order(**fields)))


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        (limit("4.27"), TooFarFromMarket),
        (limit("0.01"), TooFarFromMarket),
        (limit("-4.73", action="Buy to Close"), TooFarFromMarket),
        ({"bid": "4.00", "ask": "5.00"}, TooFarFromMarket),
        ({"bid": "4.00", "ask": "5.00", "action": "Buy to Close"}, TooFarFromMarket),
        ({"order_type": "Stop", "bid": "1.00", "ask": "9.00"}, TooFarFromMarket),
        ({"bid": "4.60", "ask": "4.40"}, MarketNotSeen),
        ({"bid": None}, MarketNotSeen),
        ({"ask": None}, MarketNotSeen),
        (limit("4.50", bid="4.60", ask="4.40"), MarketNotSeen),
        (limit("4.50", closing=None), NotCapped),
    ],
    ids=str,
)
def test_elsewhere_it_may_not(fields: dict[str, Any], refusal: type[Exception]) -> None:
    with guarding().around(call(Origin.MCP), "A1") as guard:
        assert guard is not None
        with pytest.raises(refusal):
            guard.admit(weighed(order(**fields)))


def test_what_nobody_can_weigh_is_not_sent() -> None:
    with guarding().around(call(), "A1") as guard:
        assert guard is not None
        with pytest.raises(NotCapped):
            guard.admit(weighed(order(), opening=None))


def test_a_person_has_no_guard() -> None:
    with guarding().around(call(Origin.CALLER), "A1") as guard:
        assert guard is None


def test_what_was_certainly_not_sent_is_given_back_and_nothing_else() -> None:
    models = guarding(chat_day_cap=500)

    def attempt(failure: Exception) -> None:
        with models.around(call(), "A1") as guard:
            assert guard is not None
            _twice(guard)
            raise failure

    for _ in range(3):
        with pytest.raises(OrderRefused):
            attempt(OrderRefused("No."))

    with pytest.raises(BrokerTimeout):
        attempt(BrokerTimeout("POST /orders"))
    with pytest.raises(OverChatDayCap):
        attempt(OrderRefused("No."))


def _twice(guard: Guard) -> None:
    """An order that is prepared anew, since nothing was sent, counts once."""
    for _ in range(2):
        guard.admit(weighed(order()))
