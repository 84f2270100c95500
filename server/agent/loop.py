"""The loop between model and tools: ask, run what it calls, ask again, until it has said its piece.

It ends by itself after so many turns, tokens or characters of results: then the model is asked
once more, without tools, and after that it is told to the user that there was no end.
"""

from __future__ import annotations

__all__ = ["Loop"]

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from server.agent.chat_events import Answer, Status, Tell, Text, ToolCall, Usage, Used
from server.agent.conversation import cached
from server.agent.model import Model, ModelAnswer, ModelRequest, Purpose, TextPiece
from server.agent.replies import (
    CROPPED,
    EMPTY,
    LEFT_OUT,
    REFUSED,
    TOO_LONG,
    broken_off_text,
    stopped_text,
)
from server.agent.summaries import ticket_text
from server.agent.tickets import Ticket
from server.agent.toolbox import Toolbox, Toolrun
from server.agent.tools import ToolResult
from server.errors import ModelBudgetUsed, StoreUnavailable
from server.settings import Settings
from server.tenants import Tenant

Messages = list[Mapping[str, Any]]

MOST_RESULTS = 600_000
"""Characters of all results in one chat: what a chat holds in memory, and about what a model can
read at once."""


class Loop:
    """Asks one model, with one set of tools."""

    def __init__(self, settings: Settings, model: Model, toolbox: Toolbox) -> None:
        self._settings = settings
        self._model = model
        self._toolbox = toolbox

    async def run(
        self,
        *,
        tenant: Tenant,
        system: Sequence[Mapping[str, Any]],
        messages: Sequence[Mapping[str, Any]],
        tell: Tell,
    ) -> Answer:
        """Returns the answer; raises what the model raises.

        Where the tenant's budget ends in the middle, what was prepared by then is answered.
        """
        talk: Messages = list(messages)
        speech = ResponseText(tell)
        usage = Usage()
        calls: list[ToolCall] = []
        tickets: list[Ticket] = []
        model = self._settings.chat_model
        room = MOST_RESULTS
        for turn in range(self._settings.chat_turns):
            last = (
                turn + 1 == self._settings.chat_turns
                or usage.tokens >= self._settings.chat_token_budget
                or not room
            )
            tell(Status("Thinking" if turn == 0 else "Reading the results"))
            try:
                answer = await self._ask(tenant, system, talk, speech, may_call=not last)
            except (ModelBudgetUsed, StoreUnavailable) as stop:
                if turn == 0:
                    raise

                speech.say(broken_off_text(stop))
                break

            usage += answer.usage
            model = answer.model
            tell(Used(usage))
            asked = [block for block in answer.blocks if block["type"] == "tool_use"]
            # Of an answer that was cropped the last call may be cropped, too: none of it is run.
            if answer.stop_reason != "tool_use" or not asked:
                speech.end(answer.stop_reason)
                break

            if last:
                speech.say(stopped_text(turn + 1))
                break

            runs, room = fitted(await self._toolbox.run(tenant, asked, tell), room)
            calls += [each.call for each in runs]
            tickets += [each.ticket for each in runs if each.ticket is not None]
            talk.append({"role": "assistant", "content": list(answer.blocks)})
            talk.append({"role": "user", "content": [each.block for each in runs]})

        for ticket in tickets:
            speech.say(f"\n\n{ticket_text(ticket)}")

        return Answer(
            response=speech.text,
            model=model,
            usage=usage,
            tool_calls=tuple(calls),
            tickets=tuple(tickets),
        )

    async def _ask(
        self,
        tenant: Tenant,
        system: Sequence[Mapping[str, Any]],
        talk: Messages,
        speech: ResponseText,
        *,
        may_call: bool,
    ) -> ModelAnswer:
        request = ModelRequest(
            tenant_id=tenant.id,
            purpose=Purpose.CHAT,
            model=self._settings.chat_model,
            max_tokens=self._settings.chat_answer_tokens,
            effort=self._settings.chat_effort,
            system=system,
            messages=cached(talk),
            tools=self._toolbox.offered,
            may_call=may_call,
        )
        speech.pause()
        async with aclosing(self._model.ask(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, TextPiece):
                    speech.say(piece.text)
                else:
                    return piece

        raise RuntimeError("the model ended without an answer")  # `Model` promises one


def fitted(runs: Sequence[Toolrun], room: int) -> tuple[list[Toolrun], int]:
    """Returns the runs with those results left out that do not fit, and the room that is left.

    No room is left once one did not fit, so that a chat comes to its end. A result is left out as a
    whole: half of it would have lost the mark that says where data ends.
    """
    kept: list[Toolrun] = []
    for run in runs:
        size = len(run.result.text)
        if size > room:
            run, size = replace(run, result=ToolResult(text=LEFT_OUT, failed=True)), room

        kept.append(run)
        room -= size

    return kept, room


class ResponseText:
    """What the user reads: told piece by piece, and kept whole."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._pieces: list[str] = []
        self._paused = False

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def pause(self) -> None:
        """Puts a blank line before the next piece, if there was one before."""
        self._paused = bool(self._pieces)

    def say(self, text: str) -> None:
        if self._paused:
            text, self._paused = f"\n\n{text.lstrip()}", False
        elif not self._pieces:
            text = text.lstrip()

        if text:
            self._pieces.append(text)
            self._tell(Text(text))

    def end(self, stop_reason: str) -> None:
        """Says what the reader should know of why the model stopped."""
        self._paused = False
        match stop_reason:
            case "max_tokens":
                self.say(CROPPED)
            case "model_context_window_exceeded":
                self.say(TOO_LONG)
            case "refusal":
                self.say(f"\n\n{REFUSED}")
            case _ if not self._pieces:
                self.say(EMPTY)
