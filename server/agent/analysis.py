"""`claude_analysis`: a few sentences beside the data, within a budget, and never in its way.

The data is complete before a model is asked. Whatever happens then, late, refused, broken off, the
data is answered at the end of the budget at the latest, with the reason in `claude_error`. Who asks
again of the same symbols, or at the same time, gets the same analysis.
"""

from __future__ import annotations

__all__ = ["Analysis", "Analyst", "AnalystStatistics", "analyze_of"]

import asyncio
from collections.abc import Hashable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from server.agent.analysis_result import Analysis
from server.agent.concurrency import ConcurrencyLimit, ConcurrencyStatistics, LimitReached
from server.agent.instructions import ANALYSIS
from server.agent.model import Model, ModelRequest, Purpose, TextPiece
from server.agent.shared_analyses import SharedAnalyses, SharedStatistics
from server.agent.tools import as_data
from server.clock import Clock
from server.errors import GatewayError, ModelBudgetUsed, ModelUnavailable, NoModel
from server.settings import Settings
from server.tenants import Tenant

MOST_ROWS = 40
"""Rows that a model gets to see; making more into text would hold up the loop and the answer."""
MOST_TOKENS = 4_000
"""Of three sentences and the thinking before them, which counts; the budget ends it sooner."""
NOT_ASKED = "It was not asked for (analyze=false)."
LOADING = "The model is being loaded; ask again in some seconds."
SWITCHED_OFF = "The analysis is switched off (TASTY_ANALYSIS_BUDGET_S)."
NOTHING = "There is nothing to analyse."
SILENT = "The model had nothing to say."
FIGURES = ("mid_price", "last_price", "price", "volatility", "delta", "iv_rank")
"""Fields of a row of which two digits must be the same where an analysis is given again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalystStatistics:
    at_once: ConcurrencyStatistics
    shared: SharedStatistics


class Analyst:
    """Asks a quick model about rows of data."""

    def __init__(
        self, settings: Settings, model: Model, clock: Clock, tasks: asyncio.TaskGroup
    ) -> None:
        self._model = model
        self._name = settings.analysis_model
        self._effort = "low" if settings.chat_effort else ""
        self._budget_s = settings.analysis_budget_s
        self._shared = SharedAnalyses(clock, tasks, kept_s=settings.analysis_kept_s)
        self._at_once = ConcurrencyLimit(
            per_tenant=settings.analyses_per_key, total=settings.analyses_total
        )

    async def of(
        self, tenant: Tenant, noun: str, rows: Sequence[Message], *, wanted: bool | None
    ) -> Analysis:
        """Returns within the budget, and never raises for the model's sake.

        `wanted` is what the request says (`analyze_of`): None stands for yes.
        """
        if wanted is False:
            return Analysis(error=NOT_ASKED)

        problem = self._problem(rows)
        if problem:
            return Analysis(error=problem)

        shown = rows[:MOST_ROWS]
        try:
            return await self._shared.get(
                _key(tenant, noun, shown), lambda: self._ask(tenant, noun, shown)
            )
        except LimitReached as full:
            return Analysis(
                error=f"Too many analyses at once: {full.running} run, and {full.allowed} are "
                f"allowed for this {full.whose}. Ask again in a moment."
            )
        except ModelBudgetUsed as error:
            return Analysis(error=str(error))
        except GatewayError as error:
            return Analysis(error=f"The model was not asked. {error}")

    def statistics(self) -> AnalystStatistics:
        return AnalystStatistics(
            at_once=self._at_once.statistics(), shared=self._shared.statistics()
        )

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

    async def _ask(self, tenant: Tenant, noun: str, rows: Sequence[Message]) -> Analysis:
        """Returns what is kept; raises LimitReached or a GatewayError where no model was asked."""
        with self._at_once.hold(tenant.id):
            try:
                async with asyncio.timeout(self._budget_s) as scope:
                    text = await self._listen(tenant, noun, rows)
            except TimeoutError:
                if not scope.expired():
                    raise

                return Analysis(error=f"The model did not answer within {self._budget_s:g} s.")
            except ModelUnavailable as error:
                return Analysis(error=str(error))

        return Analysis(text=text) if text else Analysis(error=SILENT)

    async def _listen(self, tenant: Tenant, noun: str, rows: Sequence[Message]) -> str:
        data = orjson.dumps([_plain(row) for row in rows]).decode()
        request = ModelRequest(
            tenant_id=tenant.id,
            purpose=Purpose.ANALYSIS,
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


def _key(tenant: Tenant, noun: str, rows: Sequence[Message]) -> Hashable:
    """Returns what must be equal where an analysis is shared.

    The generation is part of it: credentials that were replaced may be another customer's.
    """
    return (tenant.id, tenant.generation, noun, tuple(_about(row) for row in rows))


def _about(row: Any) -> Hashable:
    known = row.DESCRIPTOR.fields_by_name
    figures = (getattr(row, name) or 0 for name in FIGURES if name in known)
    return (row.symbol, *(f"{float(figure):.1e}" for figure in figures))


def _plain(row: Message) -> dict[str, Any]:
    fields: dict[str, Any] = MessageToDict(row, preserving_proto_field_name=True)
    return fields
