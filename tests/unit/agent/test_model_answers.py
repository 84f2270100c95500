"""Answers of the real API as this server passes them back to it."""

from __future__ import annotations

from anthropic.types import Message

from server.agent.messages_api import answer_of

TEXT = {"type": "text", "text": "I look.", "citations": None}
THOUGHT = {"type": "thinking", "thinking": "", "signature": "c2ln"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "get_balances", "input": {"account_id": "x"}}


def message(*blocks: object) -> Message:
    return Message.model_validate(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-5-5",
            "content": list(blocks),
            "stop_reason": "tool_use",
            "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
    )


def test_blocks_go_back_as_they_came() -> None:
    assert list(answer_of(message(THOUGHT, TEXT, CALL)).blocks) == [THOUGHT, TEXT, CALL]


def test_a_text_without_text_does_not_go_back() -> None:
    """The API makes such blocks beside calls of tools, and answers 400 to one who returns them."""
    assert list(answer_of(message(THOUGHT, TEXT | {"text": ""}, CALL)).blocks) == [THOUGHT, CALL]
