"""Checks what a client sends of a conversation, and makes of it what a model gets.

A history comes from the client, who may write anything into it, so nothing in it is a permission:
it is text. Codes that still work are blotted out before a model sees them, wherever they stand, so
that no model can put another order's words beside a code that places one.
"""

from __future__ import annotations

__all__ = [
    "MOST_CHARACTERS",
    "MOST_MESSAGES",
    "cached",
    "context_of",
    "messages_of",
    "refuse_bad",
    "system_of",
]

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from server.agent.chat_events import Question, Said
from server.agent.tickets import Ticket
from server.brokerage.api.accounts import Account
from server.clock import Clock, new_york_now
from server.errors import InvalidField, NothingGiven

LONGEST_MESSAGE = 32_000
MOST_MESSAGES = 200
MOST_CHARACTERS = 200_000
ROLES = ("user", "assistant")
BLOT = "[code]"

TRADING = {
    "confirm": "Changes need the user's code: your tool calls only prepare them.",
    "auto": "Changes are carried out when you call their tool. The user allowed that in general; "
    "still do nothing that was not asked for.",
    "off": "You cannot change anything: there are no tools for it.",
}


def refuse_bad(message: str, history: Sequence[Said]) -> None:
    """Raises BadInput for a conversation that cannot be one."""
    if not message.strip():
        raise NothingGiven("message")

    if len(message) > LONGEST_MESSAGE:
        raise InvalidField(
            "message",
            f"{len(message)} characters",
            f"at most {LONGEST_MESSAGE} characters",
        )

    if len(history) > MOST_MESSAGES:
        raise InvalidField(
            "message_history", f"{len(history)} messages", f"at most {MOST_MESSAGES} messages"
        )

    characters = sum(len(said.content) for said in history)
    if characters > MOST_CHARACTERS:
        raise InvalidField(
            "message_history",
            f"{characters} characters",
            f"at most {MOST_CHARACTERS} characters",
        )

    for index, said in enumerate(history):
        place = f"message_history[{index}]"
        if said.role not in ROLES:
            raise InvalidField(f"{place}.role", said.role, "user or assistant")

        if said.role != ROLES[index % 2]:
            raise InvalidField(
                f"{place}.role", said.role, f"{ROLES[index % 2]}: the turns alternate, user first"
            )

        if not said.content.strip():
            raise InvalidField(f"{place}.content", said.content, "a text")

    if len(history) % 2:
        raise InvalidField(
            "message_history", "a last turn of the user", "the assistant's answer to it at the end"
        )


def system_of(instructions: str, context: str) -> list[dict[str, Any]]:
    """Returns the system prompt; what never changes comes first, and is cached with the tools."""
    return [
        {"type": "text", "text": instructions, "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": context},
    ]


def context_of(clock: Clock, accounts: Iterable[Account], chosen: str, trading: str) -> str:
    """Returns what is true at this moment: the date, the accounts, what may be done."""
    now = new_york_now(clock)
    named = ", ".join(_account(each) for each in accounts)
    lines = [
        f"Today in New York: {now:%Y-%m-%d} ({now:%A}), {now:%H:%M}.",
        f"Accounts of the user: {named or 'none'}.",
    ]
    if chosen:
        lines.append(f"The user chose account {chosen}.")

    lines.append(TRADING[trading])
    return "\n".join(lines)


def messages_of(question: Question, tickets: Iterable[Ticket]) -> list[dict[str, Any]]:
    """Returns the conversation for the model, without codes that work."""
    codes = [ticket.code for ticket in tickets]
    said = [*question.history, Said(role="user", content=question.message)]
    return [{"role": each.role, "content": _blotted(each.content, codes)} for each in said]


def cached(messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Marks the end of the conversation, so that the next call reads it from the cache."""
    *before, last = messages
    content = last["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    blocks[-1] = {**blocks[-1], "cache_control": {"type": "ephemeral"}}
    return [*before, {**last, "content": blocks}]


def _account(account: Account) -> str:
    kind = account.margin_or_cash or account.account_type or ""
    return f"{account.number} ({kind})" if kind else account.number


def _blotted(text: str, codes: Sequence[str]) -> str:
    for code in codes:
        text = re.sub(re.escape(code), BLOT, text, flags=re.IGNORECASE)

    return text
