"""From a model's call to an order: prepared, told, confirmed once, asked again before it goes."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from tasty.v1.order_placement_pb2 import (
    CancelOrderResponse,
    PlaceComplexOrderRequest,
    PlaceComplexOrderResponse,
    PlaceOrderRequest,
    PlaceOrderResponse,
    ReplaceOrderResponse,
)
from tasty.v1.order_service_pb2 import GetOrderResponse

from server.agent.caps import Caps
from server.agent.confirmation import Confirmation
from server.agent.replies import confirmed_text
from server.agent.summaries import ticket_text
from server.agent.ticket_preparer import Preparation
from server.agent.tickets import Ticket, Tickets
from server.errors import (
    BrokerTimeout,
    ChatTradingOff,
    InvalidField,
    NotCapped,
    NotPriceable,
    OrderRefused,
    OverChatDayCap,
    OverChatOrderCap,
    PriceMoved,
    TicketNotFound,
    TooManyChatOrders,
)
from server.settings import Settings
from tests.clock import ManualClock
from tests.unit.agent.scripted import ACCOUNT, TENANT, ScriptedRpcs, dry_run, tools_of

ORDER: dict[str, Any] = {
    "legs": [
        {
            "symbol": "SPY",
            "option_type": "P",
            "action": "Buy to Open",
            "quantity": 1,
            "strike_price": 685,
            "expiration_date": "2025-12-19",
        }
    ]
}


class Bench:
    """The parts of the guard on one scripted server."""

    def __init__(self, rpcs: ScriptedRpcs, **settings: Any) -> None:
        chosen = Settings(anthropic_api_key="", **settings)
        self.clock = ManualClock()
        self.rpcs = rpcs
        self.tools = tools_of(rpcs)
        self.tickets = Tickets(self.clock)
        caps = Caps(chosen, self.clock)
        self.preparation = Preparation(self.tools, self.tickets, caps)
        self.confirmation = Confirmation(chosen, self.tools, self.tickets, caps, self.preparation)

    async def ticket(self, tool: str = "place_order", **arguments: Any) -> Ticket:
        given = arguments or {"account_id": ACCOUNT, "order": ORDER}
        chosen = self.tools[tool]
        return await self.preparation.ticket(TENANT, chosen, self.tools.request(chosen, given))

    async def confirm(self, code: str, account_id: str | None = None) -> PlaceOrderResponse:
        _, receipt = await self.confirmation.confirm(TENANT, code, account_id)
        return receipt


def orders(**figures: Any) -> Bench:
    return Bench(ScriptedRpcs(place_order=dry_run(**figures)))


async def test_a_ticket_is_checked_priced_named_and_not_sent() -> None:
    bench = orders()
    ticket = await bench.ticket()

    assert bench.rpcs.placed == []
    assert isinstance(ticket.request, PlaceOrderRequest)
    assert ticket.request.order.price == "-4.50"
    assert not ticket.request.order.dry_run
    assert ticket.request.order.client_order_id.startswith("chat-")
    assert ticket.summary == "Buy to Open 1 SPY 2025-12-19 685 put at 4.50 debit, Day"
    assert ticket.notional == Decimal("451.12")

    text = ticket_text(ticket)
    assert ticket.summary in text
    assert ACCOUNT in text
    assert "buying power -451.12, fees -1.12" in text
    assert f"confirm {ticket.code}" in text


async def test_the_code_places_exactly_the_order_of_the_ticket_once() -> None:
    bench = orders()
    ticket = await bench.ticket()
    receipt = await bench.confirm(ticket.code)

    assert receipt.id == "1000001"
    assert bench.rpcs.placed == [ticket.request]
    with pytest.raises(TicketNotFound):
        await bench.confirm(ticket.code)

    assert len(bench.rpcs.placed) == 1


async def test_an_order_that_was_rejected_is_not_told_as_done() -> None:
    bench = orders()
    ticket = await bench.ticket()
    receipt = await bench.confirm(ticket.code)
    assert confirmed_text(ticket, receipt).startswith("Done, as confirmed")

    receipt.status = "Rejected"
    receipt.order.reject_reason = "The strike is not open."
    text = confirmed_text(ticket, receipt)
    assert text.startswith("Sent and rejected, as confirmed")
    assert "The strike is not open." in text


async def test_fifty_confirmations_at_once_place_one_order() -> None:
    bench = orders()
    ticket = await bench.ticket()
    results = await asyncio.gather(
        *(bench.confirm(ticket.code) for _ in range(50)), return_exceptions=True
    )
    assert sum(isinstance(each, PlaceOrderResponse) for each in results) == 1
    assert sum(isinstance(each, TicketNotFound) for each in results) == 49
    assert len(bench.rpcs.placed) == 1


async def test_a_model_cannot_name_the_order_or_make_it_a_dry_run_at_the_end() -> None:
    bench = orders()
    ticket = await bench.ticket(
        account_id=ACCOUNT, order={**ORDER, "client_order_id": "somebody-elses", "dry_run": False}
    )
    assert isinstance(ticket.request, PlaceOrderRequest)
    assert ticket.request.order.client_order_id != "somebody-elses"
    dry_runs = [request for _, request in bench.rpcs.calls]
    assert [request.order.client_order_id for request in dry_runs] == [""]


@pytest.mark.parametrize(
    ("now", "passes"),
    [("-4.50", True), ("-4.72", True), ("-4.28", True), ("-4.73", False), ("-4.27", False)],
)
async def test_the_market_is_asked_again_before_the_order_goes(now: str, passes: bool) -> None:
    bench = orders()
    ticket = await bench.ticket()
    bench.rpcs.answers[ticket.tool.rpc] = dry_run(mid=now)
    if passes:
        assert (await bench.confirm(ticket.code)).id
        return

    with pytest.raises(PriceMoved, match=r"from -4\.50 to"):
        await bench.confirm(ticket.code)

    assert bench.rpcs.placed == []
    with pytest.raises(TicketNotFound):
        await bench.confirm(ticket.code)


async def test_what_the_server_chose_is_chosen_once() -> None:
    """A sale closes a position, and would go short if that is gone when the code comes."""
    leg = {"symbol": "SPY", "action": "Sell", "quantity": 1}
    bench = orders(action="Sell to Close", price="600", mid="600")
    ticket = await bench.ticket(account_id=ACCOUNT, order={"legs": [leg]})
    assert ticket.summary.startswith("Sell to Close 1")

    await bench.confirm(ticket.code)
    (sent,) = bench.rpcs.placed
    assert sent.order.legs[0].action == "Sell to Close"


async def test_a_market_order_is_not_sent_without_quotes() -> None:
    def no_price(request: PlaceOrderRequest) -> PlaceOrderResponse:
        answer = dry_run()(request)
        answer.ClearField("price")
        return answer

    def no_quotes(request: PlaceOrderRequest) -> PlaceOrderResponse:
        answer = no_price(request)
        answer.ClearField("pricing")
        return answer

    bench = Bench(ScriptedRpcs(place_order=no_price))
    ticket = await bench.ticket(account_id=ACCOUNT, order={**ORDER, "order_type": "Market"})
    bench.rpcs.answers[ticket.tool.rpc] = no_quotes
    with pytest.raises(NotPriceable, match="no quotes came"):
        await bench.confirm(ticket.code)

    assert bench.rpcs.placed == []


async def test_a_cheap_option_may_move_by_a_few_cents() -> None:
    bench = orders(price="-0.10", mid="-0.10", taken="-11.12")
    ticket = await bench.ticket()
    bench.rpcs.answers[ticket.tool.rpc] = dry_run(mid="-0.15")
    assert (await bench.confirm(ticket.code)).id


async def test_what_the_broker_would_refuse_gets_no_ticket() -> None:
    refused = PlaceOrderResponse(dry_run=True)
    refused.errors.add(code="margin_check_failed", message="Not enough buying power.")
    bench = Bench(ScriptedRpcs(place_order=refused))
    with pytest.raises(OrderRefused, match="Not enough buying power"):
        await bench.ticket()

    assert bench.tickets.statistics().made == 0


async def test_an_order_beyond_the_cap_gets_no_ticket() -> None:
    bench = orders(price="-300", mid="-300", taken="-30001.12")
    with pytest.raises(OverChatOrderCap, match=r"30001\.12"):
        await bench.ticket()


async def test_an_order_whose_size_nobody_knows_gets_no_ticket() -> None:
    bare = PlaceOrderResponse(dry_run=True)
    bare.order.legs.add(symbol="/ESZ6", instrument_type="Future", action="Buy", quantity=1)
    bench = Bench(ScriptedRpcs(place_order=bare))
    with pytest.raises(NotCapped):
        await bench.ticket()


async def test_fifty_confirmations_side_by_side_stay_under_the_day_cap() -> None:
    bench = Bench(
        ScriptedRpcs(place_order=dry_run(price="-4.00", mid="-4.00", taken="-400")),
        chat_day_cap=2000,
        chat_orders_per_hour=100,
    )
    tickets = [await bench.ticket() for _ in range(20)]
    results = await asyncio.gather(
        *(bench.confirm(each.code) for each in tickets), return_exceptions=True
    )
    assert sum(isinstance(each, OverChatDayCap) for each in results) == 15
    assert len(bench.rpcs.placed) == 5


async def test_orders_are_counted_by_the_hour() -> None:
    bench = Bench(ScriptedRpcs(place_order=dry_run()), chat_orders_per_hour=2)
    for _ in range(2):
        await bench.confirm((await bench.ticket()).code)

    with pytest.raises(TooManyChatOrders):
        await bench.ticket()

    await bench.clock.advance(3600)
    await bench.confirm((await bench.ticket()).code)


async def test_closing_is_never_capped() -> None:
    bench = Bench(
        ScriptedRpcs(place_order=dry_run(action="Sell to Close", price="400", mid="400")),
        chat_orders_per_hour=1,
        chat_order_cap=1,
    )
    for _ in range(3):
        assert (await bench.confirm((await bench.ticket()).code)).id


async def test_a_refusal_gives_its_place_back_and_a_lost_answer_keeps_it() -> None:
    bench = Bench(ScriptedRpcs(place_order=dry_run()), chat_orders_per_hour=1)
    answer = dry_run()

    def refusing(request: PlaceOrderRequest) -> PlaceOrderResponse:
        if request.order.dry_run:
            return answer(request)

        raise OrderRefused("No.")

    def losing(request: PlaceOrderRequest) -> PlaceOrderResponse:
        if request.order.dry_run:
            return answer(request)

        raise BrokerTimeout("POST /orders")

    refused, lost = await bench.ticket(), await bench.ticket()
    bench.rpcs.answers[refused.tool.rpc] = refusing
    with pytest.raises(OrderRefused):
        await bench.confirm(refused.code)

    bench.rpcs.answers[lost.tool.rpc] = losing
    with pytest.raises(BrokerTimeout):
        await bench.confirm(lost.code)

    with pytest.raises(TooManyChatOrders):
        await bench.ticket()


async def test_a_market_that_cannot_be_asked_costs_no_place() -> None:
    bench = Bench(ScriptedRpcs(place_order=dry_run()), chat_orders_per_hour=1)
    first, second = await bench.ticket(), await bench.ticket()
    answer = bench.rpcs.answers[first.tool.rpc]
    bench.rpcs.answers[first.tool.rpc] = BrokerTimeout("POST /orders/dry-run")
    with pytest.raises(BrokerTimeout):
        await bench.confirmation.take(TENANT, first.code)

    bench.rpcs.answers[first.tool.rpc] = answer
    assert (await bench.confirm(second.code)).id


async def test_switched_off_means_off() -> None:
    bench = Bench(ScriptedRpcs(place_order=dry_run()), chat_trading="off")
    ticket = await bench.ticket()
    with pytest.raises(ChatTradingOff):
        await bench.confirm(ticket.code)

    assert bench.rpcs.placed == []


async def test_a_cancel_waits_for_a_code_too() -> None:
    done = CancelOrderResponse(success=True, order_id="7", status="Cancel Requested")
    bench = Bench(ScriptedRpcs(cancel_order=done))
    ticket = await bench.ticket("cancel_order", account_id=ACCOUNT, order_id="7")
    assert bench.rpcs.calls == []
    assert ticket.summary == "Cancel order 7"

    receipt = await bench.confirm(ticket.code, ACCOUNT)
    assert (receipt.id, receipt.status) == ("7", "Cancel Requested")


SHARES = {"symbol": "SPY", "action": "Buy to Open", "quantity": 60}
WHOLE: dict[str, Any] = {
    "type": "OTOCO",
    "trigger_order": {"legs": [SHARES | {"action": "Buy"}], "price": "-600"},
    "orders": [
        {"legs": [SHARES | {"action": "Sell to Close"}], "price": "650"},
        {
            "legs": [SHARES | {"action": "Sell to Close"}],
            "order_type": "Stop",
            "stop_trigger": "550",
        },
    ],
}


def checked(request: PlaceComplexOrderRequest) -> PlaceComplexOrderResponse:
    """Answers as the broker does: netted, so that the whole takes no buying power."""
    answer = PlaceComplexOrderResponse(
        id="" if request.order.dry_run else "9",
        status="Checked" if request.order.dry_run else "Placed",
    )
    answer.complex_order.type = request.order.type
    made = [answer.complex_order.trigger_order]
    made += [answer.complex_order.orders.add() for _ in request.order.orders]
    asked = [request.order.trigger_order, *request.order.orders]
    for order, part in zip(made, asked, strict=True):
        order.order_type = part.order_type or "Limit"
        order.time_in_force = "Day"
        for name in ("price", "stop_trigger"):
            if part.HasField(name):
                setattr(order, name, getattr(part, name))

        for leg in part.legs:
            order.legs.add(
                symbol=leg.symbol,
                instrument_type="Equity",
                action={"Buy": "Buy to Open"}.get(leg.action, leg.action),
                quantity=leg.quantity,
            )

    answer.buying_power_effect.change_in_buying_power = "3500"
    return answer


async def test_orders_that_depend_are_told_whole_and_go_out_as_told() -> None:
    bench = Bench(ScriptedRpcs(place_complex_order=checked), chat_order_cap=36_000)
    ticket = await bench.ticket("place_complex_order", account_id=ACCOUNT, order=WHOLE)
    assert ticket.summary == (
        "OTOCO: first (Buy to Open 60 SPY at 600 debit, Day), and once that is filled "
        "(Sell to Close 60 SPY at 650 credit, Day) or "
        "(Sell to Close 60 SPY, Stop, triggered at 550, Day)"
    )
    assert ticket.notional == 36_000

    receipt = await bench.confirm(ticket.code)
    assert receipt.id == "9"
    (_, sent) = bench.rpcs.calls[-1]
    assert sent == ticket.request
    assert ticket.request.order.trigger_order.legs[0].action == "Buy to Open"  # type: ignore[attr-defined] # a complex order's request


async def test_orders_that_depend_are_capped_by_what_they_buy() -> None:
    bench = Bench(ScriptedRpcs(place_complex_order=checked), chat_order_cap=35_999)
    with pytest.raises(OverChatOrderCap, match="36000"):
        await bench.ticket("place_complex_order", account_id=ACCOUNT, order=WHOLE)


async def test_a_replacement_needs_its_price_and_counts_its_order() -> None:
    working = GetOrderResponse()
    working.order.price = "-590"
    working.order.legs.add(
        symbol="SPY", instrument_type="Equity", action="Buy to Open", quantity=10
    )
    done = ReplaceOrderResponse(id="8", replaced_order_id="7", status="Contingent")
    bench = Bench(ScriptedRpcs(get_order=working, replace_order=done))
    with pytest.raises(InvalidField, match="the new price"):
        await bench.ticket("replace_order", account_id=ACCOUNT, order_id="7", change={})

    ticket = await bench.ticket(
        "replace_order", account_id=ACCOUNT, order_id="7", change={"price": -600}
    )
    assert ticket.notional == 6000
    assert ticket.summary == (
        "Replace order 7 (Buy to Open 10 SPY at 590 debit, Day) by one at 600 debit"
    )
    assert (await bench.confirm(ticket.code)).id == "8"

    with pytest.raises(OverChatOrderCap):
        await bench.ticket(
            "replace_order", account_id=ACCOUNT, order_id="7", change={"price": -6000}
        )
