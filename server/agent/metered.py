"""The model as tenants may ask it: each call is reserved in the tenant's budget, then settled.

Satisfies `Model`, so whoever asks does not know of the budget, but for its refusals.
"""

from __future__ import annotations

__all__ = ["MeteredModel", "ModelStatistics"]

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import structlog

from server.agent.apart import Apart, run_apart
from server.agent.budget import DayUsage, Reservation, TokenBudget
from server.agent.chat_events import Usage
from server.agent.model import Model, ModelAnswer, ModelRequest, Purpose, TextPiece
from server.agent.tools import written_of
from server.clock import Clock
from server.errors import ModelBudgetUsed, ModelUnavailable, StoreUnavailable

BYTES_A_TOKEN = 3
"""Fewer than a token has on the average (four of English, of JSON less), so that an estimate is
rather too high; what was used replaces it."""
FASTEST = 300
"""Tokens that a model writes in a second at most, for calls of which nobody told the usage."""
SETTLING_S = 1.0
"""How long an answer waits until it is counted; the counting itself goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStatistics:
    """What the model was asked for since the start."""

    tokens: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By purpose and kind: ("chat", "input")."""
    calls: Mapping[str, int] = field(default_factory=dict)
    """By purpose."""
    over_budget: int = 0
    """Calls that were not made because a budget was used up."""
    uncounted: int = 0
    """Calls that were not made because the store did not answer."""


class MeteredModel:
    """Asks `model` on a tenant's budget."""

    def __init__(
        self, model: Model, budget: TokenBudget, clock: Clock, tasks: asyncio.TaskGroup
    ) -> None:
        self._model = model
        self._budget = budget
        self._clock = clock
        self._tasks = tasks
        self._tokens: Counter[tuple[str, str]] = Counter()
        self._calls: Counter[str] = Counter()
        self._over_budget = self._uncounted = 0
        self._log = structlog.get_logger("server.agent")

    @property
    def configured(self) -> bool:
        return self._model.configured

    @property
    def loaded(self) -> bool:
        return self._model.loaded

    def begin_to_load(self) -> None:
        self._model.begin_to_load()

    async def ask(self, request: ModelRequest) -> AsyncGenerator[TextPiece | ModelAnswer, None]:
        """Yields what the model says; raises what it raises, ModelBudgetUsed, StoreUnavailable.

        A call that ends before its usage is told (its caller left, or it took too long) counts with
        what it has cost at most by then.
        """
        reading = tokens_read(request)
        reservation = await self._reserve(request, reading + request.max_tokens)
        began = self._clock.monotonic()
        used: int | None = None
        begun = False
        try:
            async with aclosing(self._model.ask(request)) as pieces:
                async for piece in pieces:
                    begun = True
                    if isinstance(piece, TextPiece):
                        yield piece
                        continue

                    used = piece.usage.tokens
                    self._count(request.purpose, piece.usage)
                    held, reservation = reservation, None
                    day = await self._counted(held, used)
                    yield replace(
                        piece,
                        usage=replace(piece.usage, day_tokens=day.tokens, day_budget=day.budget),
                    )
        except ModelUnavailable:
            if not begun:  # it was refused, which costs nothing
                used = 0

            raise
        finally:
            if used is None:
                written = int((self._clock.monotonic() - began) * FASTEST)
                used = reading + min(written, request.max_tokens)

            self._settle(reservation, used)  # nobody waits for it: the call may be a cancelled one

    def statistics(self) -> ModelStatistics:
        return ModelStatistics(
            tokens=dict(self._tokens),
            calls=dict(self._calls),
            over_budget=self._over_budget,
            uncounted=self._uncounted,
        )

    async def _reserve(self, request: ModelRequest, tokens: int) -> Reservation | None:
        try:
            reservation = await self._budget.reserve(request.tenant_id, tokens)
        except ModelBudgetUsed:
            self._over_budget += 1
            raise
        except StoreUnavailable:
            self._uncounted += 1
            raise

        self._calls[request.purpose.value] += 1
        return reservation

    def _count(self, purpose: Purpose, usage: Usage) -> None:
        for kind, tokens in (
            ("input", usage.input_tokens),
            ("output", usage.output_tokens),
            ("cache_read", usage.cache_read_input_tokens),
            ("cache_creation", usage.cache_creation_input_tokens),
        ):
            self._tokens[purpose.value, kind] += tokens

    async def _counted(self, reservation: Reservation | None, tokens: int) -> DayUsage:
        """Settles, and returns what the tenant has used today as far as that is known in time."""
        if reservation is None:
            return DayUsage()

        settling = self._settle(reservation, tokens)
        if settling is None:
            return reservation.counted

        await asyncio.wait([settling.outcome], timeout=SETTLING_S)
        return settling.outcome.result() if settling.outcome.done() else reservation.counted

    def _settle(self, reservation: Reservation | None, tokens: int) -> Apart[DayUsage] | None:
        """Begins to settle, in a task of its own."""
        if reservation is None:
            return None

        try:
            return run_apart(self._tasks, self._settled(reservation, tokens), name="model usage")
        except RuntimeError:  # the server stops, and takes no new task: the reservation stays
            return None

    async def _settled(self, reservation: Reservation, tokens: int) -> DayUsage:
        try:
            return await self._budget.settle(reservation, tokens)
        except Exception as failure:  # noqa: BLE001 - the answer is there, whatever the store says
            # The reservation stays counted: too much rather than too little.
            self._log.warning("model_usage_not_settled", error=type(failure).__name__)
            return reservation.counted


def tokens_read(request: ModelRequest) -> int:
    """Returns how many tokens the model will read of a request, rather too many than too few."""
    parts = [*request.system, *request.messages, *request.tools]
    return sum(len(written_of(part).encode()) for part in parts) // BYTES_A_TOKEN + 1
