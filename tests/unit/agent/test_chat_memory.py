"""What one chat holds: results up to so many characters, and words that nobody reads as one."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from server.agent.chat_events import Answer, Status, Tell, Text, ToolCall
from server.agent.conversation_task import Conversation
from server.agent.loop import fitted
from server.agent.replies import LEFT_OUT
from server.agent.toolbox import Toolrun
from server.agent.tools import ToolResult

PATIENCE = timedelta(seconds=5)
WORDS = 20_000


def run(size: int) -> Toolrun:
    return Toolrun(
        call=ToolCall(id="1", name="get_quotes", arguments="{}"),
        result=ToolResult(text="x" * size),
    )


def test_results_that_fit_are_kept_to_the_last_character() -> None:
    runs, room = fitted([run(60), run(40)], 100)
    assert [len(each.result.text) for each in runs] == [60, 40]
    assert room == 0


def test_one_that_does_not_fit_is_left_out_and_ends_the_room() -> None:
    runs, room = fitted([run(60), run(41), run(1)], 100)
    assert [each.result.text for each in runs] == ["x" * 60, LEFT_OUT, LEFT_OUT]
    assert [each.result.failed for each in runs] == [False, True, True]
    assert room == 0


async def test_words_that_nobody_reads_are_one_event() -> None:
    """Each of a model's words was an object that waited: some 200 bytes for four letters."""

    async def answering(tell: Tell) -> Answer:
        for _ in range(WORDS):
            tell(Text("word "))
        tell(Status("Reading the results"))
        tell(Text("end"))
        return Answer(response="done")

    async with asyncio.TaskGroup() as tasks, Conversation(tasks, answering) as conversation:
        await asyncio.sleep(0)
        held = conversation._events
        assert len(held) == 4
        assert sys.getsizeof(held[0]._pieces) < 10_000
        assert await conversation.next(PATIENCE) == Text("word " * WORDS)
        assert await conversation.next(PATIENCE) == Status("Reading the results")
        assert await conversation.next(PATIENCE) == Text("end")
        assert await conversation.next(PATIENCE) == Answer(response="done")
