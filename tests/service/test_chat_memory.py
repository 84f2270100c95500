"""What a chat was made with is gone when it is over, however it ends, and uncollected."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import timedelta

import grpc.aio
import pytest
import pytest_asyncio
from tasty.v1 import chat_service_pb2 as pb

from server.agent.chat_events import Question
from server.simulator.faults import Fault
from tests.service.chats import Chat, open_chat
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")
CHATS = 3
How = Callable[[Chat], Awaitable[None]]


def questions() -> int:
    return sum(isinstance(each, Question) for each in gc.get_objects())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chat(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    async with open_chat(tmp_path_factory.mktemp("memory")) as running:
        await running.ask("hello")
        yield running


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def streamed(chat: Chat) -> None:
    await chat.stream("Get my account balances")


async def answered(chat: Chat) -> None:
    await chat.ask("Get my account balances")


async def stream_left(chat: Chat) -> None:
    chat.sim.faults.add(Fault(kind="model-silent"))
    stream = chat.caller.chat.StreamChat(pb.StreamChatRequest(message="hello"))
    await stream.read()
    await eventually(lambda: chat.sim.messages.statistics().waiting == 1)
    stream.cancel()
    await eventually(lambda: chat.sim.messages.statistics().waiting == 0)


async def answer_left(chat: Chat) -> None:
    chat.sim.faults.add(Fault(kind="model-silent"))
    asking = asyncio.ensure_future(chat.ask("hello"))
    await eventually(lambda: chat.sim.messages.statistics().waiting == 1)
    asking.cancel()
    await eventually(lambda: chat.sim.messages.statistics().waiting == 0)


async def stream_broken(chat: Chat) -> None:
    chat.sim.faults.add(Fault(kind="model-broken", delay=timedelta()))
    with suppress(grpc.aio.AioRpcError):
        await chat.stream("hello")


async def answer_broken(chat: Chat) -> None:
    chat.sim.faults.add(Fault(kind="model-key"))
    with suppress(grpc.aio.AioRpcError):
        await chat.ask("hello")


async def stream_refused(chat: Chat) -> None:
    with suppress(grpc.aio.AioRpcError):
        await chat.stream("hello", account_id="5WT99999")


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize(
    "how",
    [
        *(streamed, answered, stream_left, answer_left),
        *(stream_broken, answer_broken, stream_refused),
    ],
)
async def test_a_chat_that_is_over_is_not_kept(chat: Chat, how: How) -> None:
    for _ in range(CHATS):
        await how(chat)

    await eventually(lambda: chat.gateway.app.agent.statistics().chats.running == 0)
    await eventually(lambda: questions() == 0, limit=5)
