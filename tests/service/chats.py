"""A gateway whose model is the simulator's stand-in, and short ways to chat with it."""

from __future__ import annotations

__all__ = [
    "ACCOUNT",
    "CASH_ACCOUNT",
    "Chat",
    "calls",
    "code_of",
    "open_chat",
    "placed",
    "reason_of",
    "register",
    "said",
]

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from tasty.v1 import chat_pb2, credentials_service_pb2, reference_service_pb2
from tasty.v1 import chat_service_pb2 as pb

from server.agent import messages_api  # noqa: F401 - so that no test waits for the SDK
from server.clock import Clock
from server.simulator import Simulator, SimulatorSettings
from tests.gateway import Caller, Gateway, open_gateway

ACCOUNT = "5WT00001"
CASH_ACCOUNT = "5WT00002"
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """One caller's chats."""

    gateway: Gateway
    caller: Caller

    @property
    def sim(self) -> Simulator:
        return self.gateway.sim

    async def ask(
        self,
        message: str,
        history: Sequence[chat_pb2.ChatMessage] = (),
        account_id: str | None = None,
    ) -> pb.ChatResponse:
        request = pb.ChatRequest(message=message, message_history=history, account_id=account_id)
        return await self.caller.chat.Chat(request, timeout=PATIENCE_S)

    async def buy(self, account_id: str | None = ACCOUNT) -> pb.ChatResponse:
        """Asks for one SPY put of the next monthly expiration, near the market's price."""
        return await self.ask(await self.order(), account_id=account_id)

    async def order(self) -> str:
        chain = await self.caller.reference.GetOptionChain(
            reference_service_pb2.GetOptionChainRequest(
                symbol="SPY", min_dte=20, max_dte=60, option_type="P", all_options=False
            )
        )
        expiration = min(chain.chain)
        strikes = [strike for strike in chain.chain[expiration].strikes if strike % 5 == 0]
        strike = strikes[len(strikes) // 2]
        return f"Place an order to buy 1 SPY {strike:g}P expiring {expiration}"

    async def stream(self, message: str, **fields: Any) -> list[pb.StreamChatResponse]:
        request = pb.StreamChatRequest(message=message, **fields)
        return [each async for each in self.caller.chat.StreamChat(request, timeout=PATIENCE_S)]

    def as_(self, api_key: str) -> Chat:
        return Chat(gateway=self.gateway, caller=self.gateway.caller(api_key))


@asynccontextmanager
async def open_chat(
    data_dir: Path, sim: Simulator | None = None, clock: Clock | None = None, **settings: Any
) -> AsyncIterator[Chat]:
    """Yields the demo tenant's chats."""
    async with (
        sim or Simulator(SimulatorSettings()) as simulator,
        open_gateway(simulator, data_dir, clock, **settings) as gateway,
    ):
        yield Chat(gateway=gateway, caller=gateway.demo)


async def register(chat: Chat, api_key: str) -> Chat:
    """Registers another tenant, whose key is its refresh token too, and returns its chats."""
    await chat.caller.credentials.SaveCredentials(
        credentials_service_pb2.SaveCredentialsRequest(
            api_key=api_key, client_secret="secret-of-" + api_key, refresh_token=api_key
        )
    )
    return chat.as_(api_key)


def said(*turns: str) -> list[chat_pb2.ChatMessage]:
    """Returns a history: user, assistant, user, ..."""
    roles = ("user", "assistant")
    return [
        chat_pb2.ChatMessage(role=roles[index % 2], content=text)
        for index, text in enumerate(turns)
    ]


def calls(answer: pb.ChatResponse) -> list[str]:
    return [call.name for call in answer.tool_calls]


def code_of(answer: pb.ChatResponse) -> str:
    (ticket,) = answer.tickets
    return str(ticket.code)


def placed(sim: Simulator, account: str = ACCOUNT) -> int:
    """Returns how many orders the broker has of an account, whatever became of them."""
    return len(list(sim.exchange.registry.orders_of(account)))


def reason_of(error: grpc.aio.AioRpcError) -> str:
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            info = ErrorInfo()
            for detail in Status.FromString(value).details:
                if detail.Unpack(info):
                    return info.reason

    return ""
