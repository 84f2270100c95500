"""Streamed chats: pieces as they come, everything in-band, and an end when the client leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import grpc
import pytest
import pytest_asyncio
from tasty.v1 import chat_service_pb2 as pb
from tasty.v1.chat_pb2 import ChatEventKind as Kind

from server.agent.chat_events import Answer, Status, Tell
from server.agent.conversation_task import Conversation
from server.simulator.faults import Fault
from tests.service.chats import ACCOUNT, Chat, open_chat, said
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chat(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    async with open_chat(tmp_path_factory.mktemp("stream"), chats_per_key=100) as running:
        await running.ask("hello")  # the model's SDK is loaded by now
        yield running


def kinds(events: list[pb.StreamChatResponse]) -> list[str]:
    """Returns the kinds, runs of the same kind as one."""
    names = [Kind.Name(each.kind).removeprefix("CHAT_EVENT_KIND_") for each in events]
    return [name for index, name in enumerate(names) if index == 0 or names[index - 1] != name]


async def no_conversations() -> None:
    """Returns once none is left; a hundred that leave at once keep a busy machine for a while."""
    await eventually(
        lambda: not any(task.get_name() == "conversation" for task in asyncio.all_tasks()),
        limit=90,
    )


def text(events: list[pb.StreamChatResponse]) -> str:
    return "".join(each.text for each in events if each.kind == Kind.CHAT_EVENT_KIND_TEXT)


async def test_a_question_with_tools(chat: Chat) -> None:
    events = await chat.stream("What are my current positions?", account_id=ACCOUNT)
    assert kinds(events) == [
        "STATUS",
        "USAGE",
        "TOOL_STARTED",
        "TOOL_FINISHED",
        "STATUS",
        "TEXT",
        "USAGE",
        "DONE",
    ]
    started, finished = (each.tool_call for each in events if each.HasField("tool_call"))
    assert (started.name, started.id) == ("list_positions", finished.id)
    assert finished.elapsed_seconds > 0

    done = events[-1]
    assert text(events) == done.response == done.message_history[-1].content
    assert done.usage.turns == 2
    assert done.model == "claude-sonnet-5-5"
    assert [each.elapsed_seconds for each in events] == sorted(
        each.elapsed_seconds for each in events
    )


async def test_a_stream_says_what_the_whole_answer_says(chat: Chat) -> None:
    whole = await chat.ask("What's the IV rank for SPY?", said("hi", "hello"))
    events = await chat.stream("What's the IV rank for SPY?", message_history=said("hi", "hello"))
    assert text(events) == whole.response
    assert list(events[-1].message_history) == list(whole.message_history)


async def test_an_order_and_its_confirmation(chat: Chat) -> None:
    events = await chat.stream(await chat.order(), account_id=ACCOUNT)
    (ticket,) = (each.ticket for each in events if each.kind == Kind.CHAT_EVENT_KIND_ORDER)
    assert f"confirm {ticket.code}" in text(events)

    events = await chat.stream(f"confirm {ticket.code}")
    assert kinds(events) == ["ORDER", "TEXT", "DONE"]
    assert events[0].confirmed_order.code == ticket.code
    assert events[0].confirmed_order.order_id
    assert not events[-1].HasField("usage")
    assert events[-1].model == ""


async def test_a_failure_before_the_first_piece_is_a_status(chat: Chat) -> None:
    for request, code in (
        ({"message": ""}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"message": "hi", "account_id": "5WT99999"}, grpc.StatusCode.NOT_FOUND),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await chat.stream(**request)

        assert raised.value.code() is code


async def test_a_failure_later_is_told_in_band_and_is_a_status(chat: Chat) -> None:
    chat.sim.faults.add(Fault(kind="model-broken"))
    events: list[pb.StreamChatResponse] = []

    async def listen() -> None:
        async for event in chat.caller.chat.StreamChat(pb.StreamChatRequest(message="hello")):
            events.append(event)  # noqa: PERF401 - what came before the failure counts

    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await listen()

    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    assert kinds(events)[-2:] == ["TEXT", "ERROR"]
    assert events[-1].error.status == 503
    assert events[-1].error.reason == "ERROR_REASON_MODEL_UNAVAILABLE"
    assert "it failed in the middle" in events[-1].error.detail


async def test_pieces_come_while_the_model_speaks(chat: Chat) -> None:
    chat.sim.faults.add(Fault(kind="model-slow", delay=timedelta(milliseconds=15)))
    loop = asyncio.get_running_loop()
    moments = [
        loop.time()
        async for event in chat.caller.chat.StreamChat(pb.StreamChatRequest(message="hello"))
        if event.kind == Kind.CHAT_EVENT_KIND_TEXT
    ]
    assert moments[-1] - moments[0] > 0.3


async def test_a_client_that_leaves_ends_the_models_call(chat: Chat) -> None:
    before = chat.sim.messages.statistics()
    chat.sim.faults.add(Fault(kind="model-slow", delay=timedelta(milliseconds=100)))
    stream = chat.caller.chat.StreamChat(pb.StreamChatRequest(message="hello"))
    async for event in stream:
        if event.kind == Kind.CHAT_EVENT_KIND_TEXT:
            break

    assert chat.sim.messages.statistics().open_streams == 1
    stream.cancel()
    await eventually(lambda: chat.sim.messages.statistics().open_streams == 0)
    assert chat.sim.messages.statistics().waiting == 0
    assert chat.sim.messages.statistics().abandoned == before.abandoned + 1
    await no_conversations()


async def test_a_hundred_clients_that_leave_leave_nothing_behind(chat: Chat) -> None:
    chat.sim.faults.add(Fault(kind="model-silent", count=None))
    streams = [
        chat.caller.chat.StreamChat(pb.StreamChatRequest(message="hello")) for _ in range(100)
    ]
    for stream in streams:
        assert (await stream.read()).kind == Kind.CHAT_EVENT_KIND_STATUS
        stream.cancel()

    chat.sim.faults.clear()
    await no_conversations()
    assert (await chat.ask("hello")).response


async def test_silence_is_told_from_death_by_heartbeats() -> None:
    """The servicer passes 15 seconds; what waits is the same with less."""
    release = asyncio.Event()

    async def answering(tell: Tell) -> Answer:
        tell(Status("Thinking"))
        await release.wait()
        return Answer(response="done")

    async with (
        asyncio.TaskGroup() as tasks,
        Conversation(tasks, answering) as conversation,
    ):
        patience = timedelta(milliseconds=20)
        assert await conversation.next(patience) == Status("Thinking")
        assert await conversation.next(patience) is None
        release.set()
        assert await conversation.next(timedelta(seconds=5)) == Answer(response="done")
