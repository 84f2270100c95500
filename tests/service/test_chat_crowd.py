"""A hundred chats at once on one server process: no cross-talk, no step holds up the others."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
from tasty.v1 import chat_service_pb2 as pb
from tasty.v1 import credentials_service_pb2
from tasty.v1.chat_pb2 import ChatEventKind as Kind

from tests.effort import for_ci
from tests.gateway import Caller

HOME = Path(__file__).parents[2]
TENANTS = 20
"""Each asks all the questions at once."""
LONGEST_STEP_S = 0.05
PATIENCE_S = 300.0
QUESTIONS = (
    "Get my account balances",
    "What are my current positions?",
    "Analyze my portfolio",
    "Get a quote for SPY",
    "What's the IV rank for SPY?",
)


class Program:
    """A child process that is asked for lines and is closed by the end of its input."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self, beginning: str = "") -> str:
        assert self._process.stdout is not None
        while text := (await self._process.stdout.readline()).decode():
            if text.startswith(beginning):
                return text.removeprefix(beginning).strip()

        raise AssertionError("the program ended")

    def tell(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())

    def end_input(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()


@asynccontextmanager
async def run(*arguments: str, **settings: object) -> AsyncIterator[Program]:
    own = ("TASTY_", "ANTHROPIC_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    env |= {f"TASTY_{name.upper()}": str(value) for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        env=env | {"PYTHONPATH": os.pathsep.join([str(HOME), str(HOME / "gen")])},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@for_ci
async def test_a_hundred_chats_at_once(tmp_path: Path) -> None:
    async with run("server", "simulate", "--port", "0") as simulator:
        url = await simulator.line("ready: ")
        async with run(
            "tests.service.watched_server",
            simulator_url=url,
            data_dir=tmp_path,
            grpc_port=0,
            metrics_port=0,
            rate_limit=0,
            chat_timeout_s=PATIENCE_S,
            log_level="warning",
        ) as server:
            port = await server.line()
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                tenants, owned = await _log_in(channel)
                server.tell("watch\n")
                await _chat(tenants, owned)

            server.end_input()
            steps = json.loads(await server.line())

    print(f"longest steps of the server's loop: {steps[:5]}")
    assert all(took < LONGEST_STEP_S for took, _ in steps), steps[0]


async def _log_in(
    channel: grpc.aio.Channel,
) -> tuple[dict[str, Caller], dict[str, set[str]]]:
    """Returns callers, and which accounts are whose; afterwards all have open sessions."""
    tenants = {
        key: await _registered(channel, key)
        for key in (f"tenant-of-the-crowd-{number:03}" for number in range(TENANTS))
    }
    owned = {key: await _accounts(caller) for key, caller in tenants.items()}
    for question in QUESTIONS:  # what a process imports at first use, it imports once
        await _whole(tenants["tenant-of-the-crowd-000"], question)

    return tenants, owned


async def _chat(tenants: dict[str, Caller], owned: dict[str, set[str]]) -> None:
    everybody = set().union(*owned.values())
    assert len(everybody) == 2 * TENANTS

    asked = [(key, question) for key in tenants for question in QUESTIONS]
    answers = await asyncio.gather(
        *(
            (_streamed if number % 2 else _whole)(tenants[key], question)
            for number, (key, question) in enumerate(asked)
        )
    )
    for (key, question), answer in zip(asked, answers, strict=True):
        text = str(answer)
        seen = {account for account in everybody if account in text}
        assert seen <= owned[key], f"{question}: another tenant's account"
        if "quote" not in question and "IV rank" not in question:
            assert seen == owned[key], question

        assert "failed" not in answer.response, answer.response


async def _registered(channel: grpc.aio.Channel, key: str) -> Caller:
    caller = Caller(channel, key)
    await caller.credentials.SaveCredentials(
        credentials_service_pb2.SaveCredentialsRequest(
            api_key=key, client_secret="secret-of-" + key, refresh_token=key
        )
    )
    return caller


async def _accounts(caller: Caller) -> set[str]:
    answer = await _whole(caller, "Get my account balances")
    return {json.loads(call.arguments)["account_id"] for call in answer.tool_calls}


async def _whole(caller: Caller, question: str) -> pb.ChatResponse:
    return await caller.chat.Chat(pb.ChatRequest(message=question), timeout=PATIENCE_S)


async def _streamed(caller: Caller, question: str) -> pb.StreamChatResponse:
    request = pb.StreamChatRequest(message=question)
    events = [each async for each in caller.chat.StreamChat(request, timeout=PATIENCE_S)]
    assert (
        "".join(each.text for each in events if each.kind == Kind.CHAT_EVENT_KIND_TEXT)
        == events[-1].response
    )
    return events[-1]
