"""The numbered cases of tests/cases.md, each run end to end: gRPC, our server, the simulator.

`make test` takes every other one, `TASTY_LONG=1` all of them.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
import pytest_asyncio

from server.simulator import Simulator, SimulatorSettings
from server.simulator.exchange import ExchangeSettings
from tests.effort import one_in
from tests.gateway import Gateway, open_gateway
from tests.ordering import open_trader
from tests.service.order_cases import changes, combinations, refusals, single_orders, spreads
from tests.service.order_cases.registry import CASES, Case

LIST = Path(__file__).parents[1] / "cases.md"
FEWEST = 60
MODULES: dict[str, ModuleType] = {
    "One leg": single_orders,
    "Prices of ours, and several legs": spreads,
    "Refusals, rejects and partial fills": refusals,
    "Replaced and cancelled": changes,
    "Complex orders, and names": combinations,
}
INTRODUCTION = """\
# Order cases

Each is run end to end by `tests/service/test_orders_cases.py`: a gRPC client, this server as users
run it, and the simulated broker, whose books are looked at afterwards. The list is made from the
cases (`REGENERATE_GOLDEN=1`), so it cannot name one that is not there."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    # Cancels and replaces take their time, so that a test can come in between.
    exchange = ExchangeSettings(
        cancelling=timedelta(milliseconds=400), replacing=timedelta(milliseconds=400)
    )
    async with (
        Simulator(SimulatorSettings(port=0, exchange=exchange)) as sim,
        open_gateway(sim, tmp_path_factory.mktemp("cases")) as running,
    ):
        yield running


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", one_in(2, CASES.values()), ids=lambda case: f"{case.number:02d}")
async def test_case(gateway: Gateway, case: Case) -> None:
    await case.play(await open_trader(gateway, case.trader))


def test_the_list_is_that_of_the_cases() -> None:
    text = listing()
    if os.environ.get("REGENERATE_GOLDEN") == "1":
        LIST.write_text(text)

    assert LIST.read_text() == text
    assert len(CASES) >= FEWEST


def listing() -> str:
    """Returns tests/cases.md as the cases have it."""
    parts = [INTRODUCTION]
    for name, module in MODULES.items():
        mine = [each for each in CASES.values() if each.play.__module__ == module.__name__]
        rows = [f"| {each.number} | {each.title} |" for each in sorted(mine, key=_number)]
        parts.append("\n".join([f"## {name}", "", "| | |", "|--:|---|", *rows]))

    return "\n\n".join(parts) + "\n"


def _number(case: Case) -> int:
    return case.number
