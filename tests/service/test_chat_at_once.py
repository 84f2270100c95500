"""Chats at once: refused beyond their number, streams counted too, and their places come back."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from tasty.v1 import chat_service_pb2 as pb

from server.simulator.faults import Fault
from tests.http2 import SETTINGS, Http2, frame
from tests.service.chats import Chat, open_chat, reason_of, register, said
from tests.waiting import eventually

INITIAL_WINDOW_SIZE = 4
RPC = "/tasty.v1.ChatService/StreamChat"


def running(chat: Chat) -> int:
    return chat.gateway.app.agent.statistics().chats.running


@asynccontextmanager
async def waiting_chats(chat: Chat, *kinds: str) -> AsyncIterator[list[Any]]:
    """Runs chats whose model says nothing; ends those that are left."""
    chat.sim.faults.add(Fault(kind="model-silent", count=None))
    calls = []
    for kind in kinds:
        if kind == "stream":
            stream = chat.caller.chat.StreamChat(pb.StreamChatRequest(message="hello"))
            await stream.read()
            calls.append(stream)
        else:
            calls.append(asyncio.ensure_future(chat.ask("hello")))

    await eventually(lambda: chat.sim.messages.statistics().waiting == len(kinds))
    try:
        yield calls
    finally:
        chat.sim.faults.clear()
        for call in calls:
            call.cancel()

        await eventually(lambda: running(chat) == 0)


async def refused(chat: Chat, *, stream: bool = False) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await (chat.stream("hello") if stream else chat.ask("hello"))

    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reason_of(raised.value) == "ERROR_REASON_TOO_MANY_CHATS"
    return raised.value


async def test_one_key_has_so_many_and_they_come_back(tmp_path: Path) -> None:
    async with open_chat(tmp_path, chats_per_key=2) as chat:
        other = await register(chat, "another-customer-of-ours")
        async with waiting_chats(chat, "stream", "whole") as calls:
            for stream in (False, True):
                error = await refused(chat, stream=stream)
                assert error.details() == (
                    "Too many chats at once: 2 run, and 2 are allowed for this API key. Wait until "
                    "one has ended."
                )

            # Who confirms an order needs no model, and does not wait for those who do.
            answer = await chat.ask("confirm K7QM3F", said("hi", "hello"))
            assert "nothing waits for the code K7QM3F" in answer.response
            chat.sim.faults.clear()
            assert (await other.ask("hello")).response

            calls[0].cancel()
            await eventually(lambda: running(chat) == 1)
            assert (await chat.ask("hello")).response


async def test_all_keys_have_so_many_and_a_part_is_kept(tmp_path: Path) -> None:
    async with open_chat(tmp_path, chats_per_key=10, chats_total=4) as chat:
        other = await register(chat, "another-customer-of-ours")
        async with waiting_chats(chat, "stream", "stream", "whole"):
            assert "3 are allowed for this server" in str((await refused(chat)).details())
            chat.sim.faults.clear()
            assert (await other.ask("hello")).response


async def test_a_stream_that_nobody_reads_ends_by_its_time(tmp_path: Path) -> None:
    async with open_chat(tmp_path, chat_timeout_s=1.5) as chat:
        port = chat.gateway.app.grpc_port
        with Http2(port) as line:
            line.send(frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0)))
            request = pb.StreamChatRequest(message="hello").SerializeToString()
            more = (("x-api-key", "demo-key"), ("grpc-timeout", "10H"))
            line.call(1, RPC, request, more=more)
            await eventually(lambda: running(chat) == 1)
            await eventually(lambda: running(chat) == 0)


async def test_chats_and_their_tokens_are_metrics(tmp_path: Path) -> None:
    async with open_chat(tmp_path, chats_per_key=1) as chat:
        answer = await chat.ask("hello")
        async with waiting_chats(chat, "stream"):
            await refused(chat)
            told = {
                (sample.name, *sample.labels.values()): sample.value
                for family in chat.gateway.app.front.registry.collect()
                for sample in family.samples
            }

    assert told["tasty_agent_running", "chat"] == 1
    assert told["tasty_agent_refused_total", "chat"] == 1
    assert told["tasty_model_calls_total", "chat"] >= 1
    assert told["tasty_model_tokens_total", "chat", "output"] == answer.usage.output_tokens
