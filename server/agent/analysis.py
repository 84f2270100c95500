"""`claude_analysis`: a few sentences beside the data, within a budget, and never in its way.

The data is complete before a model is asked. Whatever happens then, late, refused, broken off, the
data is answered at the end of the budget at the latest, with the reason in `claude_error`.
"""

from __future__ import annotations

__all__ = ["Analysis", "Analyst", "analyze_of"]

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from server.agent.instructions import ANALYSIS
from server.agent.model import Model, ModelRequest, TextPiece
from server.agent.tools import as_data
from server.errors import GatewayError, NoModel
from server.settings import Settings

MOST_ROWS = 40
"""Rows that a model gets to see; making more into text would hold up the loop and the answer."""
MOST_TOKENS = 4_000
"""Of three sentences and the thinking before them, which counts; the budget ends it sooner."""
NOT_ASKED = "It was not asked for (analyze=false)."
LOADING = "The model is being loaded; ask again in some seconds."
SWITCHED_OFF = "The analysis is switched off (TASTY_ANALYSIS_BUDGET_S)."
NOTHING = "There is nothing to analyse."
SILENT = "The model had nothing to say."


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What the model says of the data, or why it says nothing."""

    text: str = ""
    error: str = ""


class Analyst:
    """Asks a quick model about rows of data."""

    def __init__(self, settings: Settings, model: Model) -> None:
        self._model = model
        self._name = settings.analysis_model
        self._effort = "low" if settings.chat_effort else ""
        self._budget_s = settings.analysis_budget_s

    async def of(self, noun: str, rows: Sequence[Message], *, wanted: bool | None) -> Analysis:
        """Returns within the budget, and never raises for the model's sake.

        `wanted` is what the request says (`analyze_of`): None stands for yes.
        """
        if wanted is False:
            return Analysis(error=NOT_ASKED)

        problem = self._problem(rows)
        if problem:
            return Analysis(error=problem)

        try:
            async with asyncio.timeout(self._budget_s) as scope:
                text = await self._listen(noun, rows)
        except TimeoutError:
            if not scope.expired():
                raise

            return Analysis(error=f"The model did not answer within {self._budget_s:g} s.")
        except GatewayError as error:
            return Analysis(error=str(error))

        return Analysis(text=text) if text else Analysis(error=SILENT)

    def _problem(self, rows: Sequence[Message]) -> str:
        if not self._model.configured:
            return str(NoModel())

        if not self._budget_s:
            return SWITCHED_OFF

        if not rows:
            return NOTHING

        if not self._model.loaded:
            self._model.begin_to_load()
            return LOADING

        return ""

    async def _listen(self, noun: str, rows: Sequence[Message]) -> str:
        data = orjson.dumps([_plain(row) for row in rows[:MOST_ROWS]]).decode()
        request = ModelRequest(
            model=self._name,
            max_tokens=MOST_TOKENS,
            effort=self._effort,
            retries=0,
            system=[{"type": "text", "text": ANALYSIS}],
            messages=[{"role": "user", "content": as_data(noun, data)}],
        )
        async with aclosing(self._model.ask(request)) as pieces:
            said = [piece.text async for piece in pieces if isinstance(piece, TextPiece)]

        return "".join(said).strip()


def analyze_of(request: Any) -> bool | None:
    """Returns what a request says of its field `analyze`; None if it says nothing."""
    return request.analyze if request.HasField("analyze") else None


def _plain(row: Message) -> dict[str, Any]:
    fields: dict[str, Any] = MessageToDict(row, preserving_proto_field_name=True)
    return fields
