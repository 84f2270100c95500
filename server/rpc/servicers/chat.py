"""Chats: a question answered whole, or piece by piece while it is being answered."""

from __future__ import annotations

__all__ = ["Chats"]

from collections.abc import AsyncIterator
from datetime import timedelta

from tasty.v1 import chat_service_pb2 as pb
from tasty.v1 import chat_service_pb2_grpc

from server.agent import Agent, Answer
from server.agent.conversation import refuse_bad
from server.agent.packing import (
    answer_to,
    done_to,
    event_to,
    failure_to,
    heartbeat_to,
    question_from,
)
from server.clock import Clock
from server.rpc.call import current_call
from server.rpc.status import failure_of

HEARTBEAT = timedelta(seconds=15)


class Chats(chat_service_pb2_grpc.ChatServiceServicer):
    """Lets the agent answer the calling tenant."""

    def __init__(self, agent: Agent, clock: Clock, heartbeat: timedelta = HEARTBEAT) -> None:
        self._agent = agent
        self._clock = clock
        self._heartbeat = heartbeat

    async def Chat(  # noqa: N802 - named by the contract
        self, request: pb.ChatRequest, context: object
    ) -> pb.ChatResponse:
        call = current_call()
        question = question_from(call.tenant, request)
        with self._agent.place(question):
            answer = await self._agent.answer(question, lambda _event: None, call.deadline)

        return answer_to(question, answer)

    async def StreamChat(  # noqa: N802 - named by the contract
        self, request: pb.StreamChatRequest, context: object
    ) -> AsyncIterator[pb.StreamChatResponse]:
        """Tells of a failure in-band once it has begun: over REST a status cannot follow data."""
        call = current_call()
        question = question_from(call.tenant, request)
        refuse_bad(question.message, question.history)  # before the first message: a plain status
        began = self._clock.monotonic()
        begun = False
        # The place is held until the client has read the end, or is gone.
        with self._agent.place(question):
            async with self._agent.conversation(question, call.deadline) as conversation:
                try:
                    while True:
                        event = await conversation.next(self._heartbeat)
                        elapsed = self._clock.monotonic() - began
                        if isinstance(event, Answer):
                            yield done_to(question, event, elapsed)
                            return

                        begun = True
                        yield heartbeat_to(elapsed) if event is None else event_to(event, elapsed)
                except Exception as error:
                    if begun:
                        failure = failure_of(error, call.request_id)
                        elapsed = self._clock.monotonic() - began
                        yield failure_to(failure.reason, failure.message, failure.http, elapsed)

                    raise
