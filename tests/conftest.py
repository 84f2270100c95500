"""What every test gets without asking: no task outlives it, and property tests are repeatable.

Sockets and files are watched by the interpreter itself: `ResourceWarning` is an error here.
`TASTY_LONG=1` looks for longer, and with new random input each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import structlog
from hypothesis import HealthCheck, settings

from tests.effort import LONG

settings.register_profile(
    "suite",
    max_examples=500 if LONG else 50,
    # The same examples in each run: a failure in CI is one here too.
    derandomize=not LONG,
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
