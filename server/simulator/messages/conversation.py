"""Reads what the rules need from a conversation: question, accounts and tool results.

The question is the newest user turn without tool results; all later turns belong to its answer.
Results are read as data only: whatever they contain, they cannot become the question.
"""

from __future__ import annotations

__all__ = ["Conversation", "ToolResult", "read_conversation"]

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson

from server.simulator.messages.requests import Block, MessagesRequest, Turn

ACCOUNT = re.compile(r"\b\d[A-Z][0-9A-Z]{6}\b")
ACCOUNTS_LINE = re.compile(r"^Accounts of the user: (.+)$", re.MULTILINE)
CHOSEN_LINE = re.compile(r"^The user chose account (\S+)\.$", re.MULTILINE)
TODAY_LINE = re.compile(r"^Today in New York: (\d{4}-\d\d-\d\d)", re.MULTILINE)
OBJECT = re.compile(r"^\s*([\[{].*[\]}])\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """Holds one tool call and its result."""

    tool: str
    input: Mapping[str, Any]
    text: str
    failed: bool

    @property
    def data(self) -> dict[str, Any]:
        """The JSON object in it; empty if there is none."""
        for found in OBJECT.findall(self.text):
            try:
                data = orjson.loads(found)
            except orjson.JSONDecodeError:
                continue

            if isinstance(data, dict):
                return data

        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Holds a conversation that waits for an answer."""

    question: str
    earlier: tuple[str, ...]
    """Earlier messages of the user, newest last."""
    tools: frozenset[str]
    accounts: tuple[str, ...]
    chosen_account: str
    today: date
    results: tuple[ToolResult, ...]
    """Tool results of this answer, in the order of the calls."""
    tool_rounds: int
    """How often this answer has called tools already."""

    def results_of(self, tool: str) -> list[ToolResult]:
        return [result for result in self.results if result.tool == tool]

    @property
    def named_accounts(self) -> list[str]:
        """The user's accounts that the question names."""
        return [each for each in ACCOUNT.findall(self.question) if each in self.accounts]


def read_conversation(request: MessagesRequest) -> Conversation:
    """Reads the conversation in a request."""
    at = max(
        (
            index
            for index, turn in enumerate(request.turns)
            if turn.role == "user" and not turn.blocks_of("tool_result")
        ),
        default=0,
    )
    system = request.system_text
    accounts = ACCOUNTS_LINE.search(system)
    chosen = CHOSEN_LINE.search(system)
    today = TODAY_LINE.search(system)
    answering = request.turns[at + 1 :]
    return Conversation(
        question=request.turns[at].text,
        earlier=tuple(turn.text for turn in request.turns[:at] if turn.role == "user"),
        tools=frozenset(tool["name"] for tool in request.tools),
        accounts=tuple(ACCOUNT.findall(accounts[1])) if accounts else (),
        chosen_account=chosen[1] if chosen else "",
        today=date.fromisoformat(today[1]) if today else datetime.now(UTC).date(),
        results=_collect_results(answering),
        tool_rounds=sum(turn.role == "assistant" for turn in answering),
    )


def _collect_results(turns: tuple[Turn, ...]) -> tuple[ToolResult, ...]:
    given = {
        block["tool_use_id"]: block for turn in turns for block in turn.blocks_of("tool_result")
    }
    return tuple(
        ToolResult(
            tool=use["name"],
            input=use["input"],
            text=_join_text(given[use["id"]]),
            failed=bool(given[use["id"]].get("is_error")),
        )
        for turn in turns
        for use in turn.blocks_of("tool_use")
        if use["id"] in given
    )


def _join_text(block: Block) -> str:
    content = block.get("content", "")
    if isinstance(content, str):
        return content

    return "\n".join(part["text"] for part in content if part.get("type") == "text")
