"""What every test gets without asking: no task outlives it, and property tests are repeatable.

Sockets and files are watched by the interpreter itself: `ResourceWarning` is an error here.
`TASTY_LONG=1` looks for longer, and a larger number with new random input each time.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
import structlog
from hypothesis import HealthCheck, settings

from tests.effort import LONG

if TYPE_CHECKING:
    from tests.shared_gateway import SharedGateway

settings.register_profile(
    "suite",
    max_examples=100 * LONG or 25,
    # The same examples in each run: a failure in CI is one here too.
    derandomize=LONG < 2,
    # A busy machine is not a bug.
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)
settings.load_profile("suite")

# A traceback with the values of all variables, the default where `rich` is installed, takes seconds
# in which the loop of the test stands still.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)

SETTLING_TURNS = 20
"""Turns of the loop that cancelled tasks get to finish before they count as leaked."""


# What is imported and collected stays until the end: looking through it again and again finds
# nothing, and takes a fifth of the start.
gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    # Not when the collection ends: who only hands tests to workers collects none.
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if pytest_asyncio.is_async_test(item):
            # First in, so that it is torn down last, after the fixtures that own tasks.
            item.fixturenames.insert(0, "no_leaked_tasks")


@pytest_asyncio.fixture
async def no_leaked_tasks() -> AsyncIterator[None]:
    """Fails a test that leaves a task running on its loop."""
    before = asyncio.all_tasks()
    yield
    before.add(asyncio.current_task())  # type: ignore[arg-type]  # a fixture always runs in one
    for _ in range(SETTLING_TURNS):
        leaked = [task for task in asyncio.all_tasks() - before if not task.done()]
        if not leaked:
            return
        await asyncio.sleep(0)
    assert not leaked, f"tasks left running: {leaked}"


@pytest.fixture(scope="session")
def shared_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedGateway]:
    """The one gateway of all folders whose tests leave it as they found it."""
    # Not at the top: a run of unit tests alone need not import what the stack does.
    from tests.shared_gateway import SharedGateway

    with closing(SharedGateway(tmp_path_factory)) as shared:
        yield shared
