"""Equal values get equal verdicts, whatever the face; what only looks like a number trades nowhere.

Each spelling of a number goes through every face that takes it: the body of a REST route (as JSON
number and as text), its query, gRPC, gRPC-Web, the REST form of an MCP tool's call and the agent's
tools. What the broker got is looked at afterwards.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from tasty.v1 import reference_service_pb2

from server.simulator import Simulator, SimulatorSettings
from tests.effort import one_in
from tests.gateway import Gateway, open_gateway
from tests.rest.faces import ACCOUNT, HOLE, Bench, Field, Recorder, faces
from tests.rest.spellings import Number, spellings
from tests.stack import open_edge

AT_ONCE = 8

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    folder: Path = tmp_path_factory.mktemp("spelling")
    async with (
        Simulator(SimulatorSettings(port=0)) as sim,
        Recorder(sim.url) as recorder,
        open_gateway(sim, folder, simulator_url=recorder.url) as gateway,
        httpx2.AsyncClient(timeout=30) as http,
    ):
        with open_edge(folder, server_port=gateway.app.grpc_port) as edge:
            expiration, strike = await _option(gateway)
            yield Bench(
                gateway=gateway,
                recorder=recorder,
                http=http,
                url=edge.url,
                expiration=expiration,
                strike=strike,
            )


def fields(bench: Bench) -> dict[str, Field]:
    """Returns the numbers that trade, and some that do not."""

    def order(**changes: Any) -> Any:
        leg = {"symbol": "KO", "action": "Buy to Open", "quantity": 1}
        return {
            "account_id": ACCOUNT,
            "order": {"legs": [leg], "price": "-1", "dry_run": True} | changes,
        }

    plain = {"symbol": "KO", "action": "Buy to Open"}
    parts = {"symbol": "SPY", "option_type": "P", "expiration_date": bench.expiration}
    option = {"action": "Buy to Open", "quantity": 1, "strike_price": HOLE, **parts}
    change = {"account_id": ACCOUNT, "order_id": "999999", "change": {"price": HOLE}}
    found = (
        Field(
            name="price",
            tool="place_order",
            arguments=order(price=HOLE),
            number=Number(digits="12", negative=True),
            decimal=True,
            body="order",
            at_broker=lambda sent: [sent.get("price")] if "price" in sent else [],
        ),
        Field(
            name="price",
            tool="replace_order",
            arguments=change,
            number=Number(digits="12", negative=True),
            decimal=True,
            body="change",
            query=f"/api/v1/replace-order/999999?account_id={ACCOUNT}&price={HOLE}",
        ),
        Field(
            name="stop_trigger",
            tool="place_order",
            arguments=order(price=None, order_type="Stop", stop_trigger=HOLE),
            number=Number(digits="912"),
            decimal=True,
            body="order",
            at_broker=lambda sent: [sent["stop-trigger"]],
        ),
        Field(
            name="value",
            tool="place_order",
            arguments=order(price=None, order_type="Notional Market", value=HOLE, legs=[plain]),
            number=Number(digits="52", negative=True),
            decimal=True,
            body="order",
            at_broker=lambda sent: [sent["value"]],
        ),
        Field(
            name="quantity",
            tool="place_order",
            arguments=order(legs=[plain | {"quantity": HOLE}]),
            number=Number(digits="12"),
            body="order",
            at_broker=lambda sent: [each["quantity"] for each in sent["legs"]],
        ),
        Field(
            name="strike_price",
            tool="place_order",
            arguments=order(legs=[option]),
            number=Number(digits=bench.strike),
            body="order",
            at_broker=lambda sent: [int(each["symbol"][-8:]) / 1000 for each in sent["legs"]],
        ),
        Field(
            name="strike_price",
            tool="get_quotes",
            arguments={"instruments": [parts | {"strike_price": HOLE}], "analyze": False},
            number=Number(digits=bench.strike),
            body="instruments",
        ),
        Field(
            name="timeout",
            tool="get_quotes",
            arguments={"instruments": [{"symbol": "SPY"}], "timeout": HOLE, "analyze": False},
            number=Number(digits="12"),
            query=f"/api/v1/quotes?analyze=false&timeout={HOLE}",
        ),
        Field(
            name="days",
            tool="list_transactions",
            arguments={"account_id": ACCOUNT, "days": HOLE},
            number=Number(digits="12", whole=True),
            query=f"/api/v1/transaction-history?account_id={ACCOUNT}&days={HOLE}",
        ),
    )
    return {f"{each.tool}-{each.name}": each for each in found}


NAMES = (
    *("place_order-price", "replace_order-price", "place_order-stop_trigger", "place_order-value"),
    *("place_order-quantity", "place_order-strike_price", "get_quotes-strike_price"),
    *("get_quotes-timeout", "list_transactions-days"),
)
FEWEST = 60


@pytest.mark.parametrize("name", NAMES)
async def test_equal_values_get_equal_verdicts(bench: Bench, name: str) -> None:
    one = fields(bench)[name]
    bench.recorder.orders.clear()
    tried = spellings(one.number)
    assert len(tried) >= FEWEST
    # The prices are tried whole in `make test` too.
    chosen = tried if one.decimal else one_in(2, tried)
    limit = asyncio.Semaphore(AT_ONCE)

    async def verdicts(spelled: str) -> list[str]:
        async with limit:
            return await _wrong_verdicts(bench, one, spelled)

    wrong = [each for found in await asyncio.gather(*map(verdicts, chosen)) for each in found]
    assert wrong == []
    got = [value for order in bench.recorder.orders for value in one.at_broker(order)]
    assert {abs(Decimal(str(value))) for value in got} <= {Decimal(one.number.digits)}
    assert all(re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", str(value), re.ASCII) for value in got)
    assert bool(got) == (one.tool == "place_order")


async def test_every_number_of_the_list_is_there(bench: Bench) -> None:
    assert set(fields(bench)) == set(NAMES)


async def test_what_the_guide_shows_is_accepted(bench: Bench) -> None:
    leg = '{"symbol": "SPY", "option_type": "P", "action": "Buy to Open", "quantity": 1, '
    leg += f'"strike_price": {bench.strike}.0, "expiration_date": "{bench.expiration}"}}'
    path = f"/api/v1/place-order?account_id={ACCOUNT}"
    for price in ("-4.50", '"-4.50"', "null", "-4.5e0"):
        body = f'{{"legs": [{leg}], "price": {price}, "time_in_force": "Day", "dry_run": true}}'
        assert await bench.rest("POST", path, body) == "", price


async def _wrong_verdicts(bench: Bench, one: Field, spelled: str) -> list[str]:
    """Sends one spelling through every face; returns what did not answer as it should."""
    text, number = one.number.is_text(spelled), one.number.is_number(spelled)
    wrong = []
    for face, accepted, call in faces(bench, one, spelled, text=text, number=number):
        words = await call
        if accepted == bool(words):
            verdict = f"refused with {words!r}" if words else "accepted"
            wrong.append(f"{face}: {spelled!r} was {verdict}")
        elif words:
            assert "500" not in words
            assert len(words) < 300

    return wrong


async def _option(gateway: Gateway) -> tuple[str, str]:
    """Returns an expiration and a whole strike that are listed."""
    request = reference_service_pb2.GetOptionChainRequest(
        symbol="SPY", min_dte=20, option_type="P", all_options=False
    )
    chain = await gateway.demo.reference.GetOptionChain(request)
    day = min(chain.expiration_dates)
    strikes = [each for each in chain.chain[day].strikes if each == int(each) and each >= 100]
    return day, str(int(strikes[len(strikes) // 2]))
