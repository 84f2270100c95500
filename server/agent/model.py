"""What the agent needs of a model: an answer in pieces, then its blocks, usage and reason to stop.

This module knows no SDK, so whoever only needs the types does not pay for importing one.
"""

from __future__ import annotations

__all__ = ["Blocks", "Model", "ModelAnswer", "ModelRequest", "Purpose", "TextPiece"]

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from server.agent.chat_events import Usage

Blocks = Sequence[Mapping[str, Any]]
"""Content blocks in the form of the Messages API; unknown kinds are passed back as they came."""


class Purpose(Enum):
    """What a model is asked for."""

    CHAT = "chat"
    ANALYSIS = "analysis"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One call of a model."""

    tenant_id: str
    """On whose budget."""
    purpose: Purpose
    model: str
    max_tokens: int
    effort: str
    """Empty: not said."""
    system: Blocks
    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]] = ()
    retries: int = 2
    """How often it is asked again when it fails before its first word."""
    may_call: bool = True
    """Whether it may call tools; False asks it to come to an end."""


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Some words of the answer, as they come."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """The whole answer of one call; the last that comes."""

    blocks: Blocks
    stop_reason: str
    usage: Usage
    model: str


class Model(Protocol):
    """Asks a model."""

    @property
    def configured(self) -> bool:
        """Whether there is a model at all; asking raises NoModel where there is none."""

    @property
    def loaded(self) -> bool:
        """Whether asking begins at once; the SDK takes seconds to import."""

    def begin_to_load(self) -> None:
        """Loads it in the background, if it is not loaded or being loaded."""

    def ask(self, request: ModelRequest) -> AsyncGenerator[TextPiece | ModelAnswer, None]:
        """Yields pieces of text, then one ModelAnswer.

        Closing the generator ends the call at the model's side too. Raises ModelUnavailable or
        NoModel.
        """
