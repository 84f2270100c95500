"""What is asked and what is answered, and what happens in between, as values.

An event is told while it happens (a stream shows it); the answer holds the same once more, whole.
"""

from __future__ import annotations

__all__ = [
    "Answer",
    "Confirmed",
    "Event",
    "Question",
    "Said",
    "Status",
    "Tell",
    "Text",
    "TicketMade",
    "ToolCall",
    "ToolFinished",
    "ToolStarted",
    "Usage",
    "Used",
]

from collections.abc import Callable
from dataclasses import dataclass, field

from server.agent.tickets import Receipt, Ticket
from server.tenants import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One turn of the conversation, as the client keeps it."""

    role: str
    """"user" or "assistant"."""
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A message of the user, and what was said before; checked already (`conversation`)."""

    tenant: Tenant
    message: str
    history: tuple[Said, ...] = ()
    account_id: str = ""
    """The account that the talk is about; empty if the user did not choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the model used; the sum of several calls is the usage of all."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    turns: int = 0
    day_tokens: int = 0
    """All that the tenant has used of its budget today; the newest count, no sum."""
    day_budget: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_read_input_tokens=self.cache_read_input_tokens + other.cache_read_input_tokens,
            cache_creation_input_tokens=self.cache_creation_input_tokens
            + other.cache_creation_input_tokens,
            turns=self.turns + other.turns,
            day_tokens=other.day_tokens,
            day_budget=other.day_budget,
        )

    @property
    def tokens(self) -> int:
        return (
            self.input_tokens
            + self.output_tokens
            + self.cache_read_input_tokens
            + self.cache_creation_input_tokens
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One call of a tool."""

    id: str
    name: str
    arguments: str
    """JSON text, as the model wrote it."""
    failed: bool = False
    elapsed_s: float = 0.0
    error: str = ""
    """What went wrong, in a sentence; empty unless it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """What the code in the message did."""

    ticket: Ticket
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The whole of an answer."""

    response: str
    model: str = ""
    """Empty when none was asked."""
    usage: Usage | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tickets: tuple[Ticket, ...] = ()
    confirmed: Confirmed | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """A step of the work in words."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolStarted:
    call: ToolCall


@dataclass(frozen=True, slots=True)
class ToolFinished:
    call: ToolCall


@dataclass(frozen=True, slots=True)
class TicketMade:
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Used:
    """What the model used so far."""

    usage: Usage = field(default_factory=Usage)


Event = Status | Text | ToolStarted | ToolFinished | TicketMade | Confirmed | Used
Tell = Callable[[Event], None]
"""Is told each event at once; must not wait."""
