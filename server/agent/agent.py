"""The agent: answers a question with the help of a model and the tools.

In this order: a code in the newest message is dealt with by the server alone; only then is a model
asked, at most so many times, with so many tokens, for so long.
"""

from __future__ import annotations

__all__ = ["Agent", "AgentStatistics", "open_agent"]

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace

from tasty.v1.order_placement_pb2 import PlaceOrderResponse

from server.agent.analysis import Analyst, AnalystStatistics
from server.agent.budget import TokenBudget
from server.agent.caps import Caps
from server.agent.chat_events import Answer, Confirmed, Question, Tell, Text
from server.agent.concurrency import ConcurrencyLimit, ConcurrencyStatistics, LimitReached
from server.agent.confirmation import Confirmation, intent_of
from server.agent.conversation import context_of, messages_of, refuse_bad, system_of
from server.agent.conversation_task import Conversation
from server.agent.instructions import load_instructions
from server.agent.lazy_model_client import LazyModelClient
from server.agent.loop import Loop
from server.agent.metered import MeteredModel, ModelStatistics
from server.agent.replies import (
    confirmed_text,
    not_found_text,
    nothing_done_text,
    refused_text,
    unclear_text,
)
from server.agent.ticket_preparer import Preparation
from server.agent.tickets import Ticket, Tickets, TicketStatistics
from server.agent.toolbox import Toolbox
from server.agent.tools import Rpcs, Tools
from server.brokerage import Brokerage
from server.clock import Clock
from server.contract.catalog import load
from server.contract.tools import load_tools
from server.errors import ChatTimeout, GatewayError, NoModel, TooManyChats
from server.settings import Settings
from server.store import Database
from server.tenants import Tenant

MARGIN_S = 0.2
"""How much earlier than the call's own deadline a chat gives up, so that its words arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStatistics:
    tickets: TicketStatistics
    chats: ConcurrencyStatistics
    analyses: AnalystStatistics
    model: ModelStatistics


class Agent:
    """Answers questions, any number at once; a tenant's tickets are all that it remembers."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        door: LazyModelClient,
        budget: TokenBudget,
        rpcs: Rpcs,
        brokerage: Brokerage,
        tasks: asyncio.TaskGroup,
    ) -> None:
        model = MeteredModel(door, budget, clock, tasks)
        tools = Tools(load_tools(), load(), rpcs)
        caps = self.caps = Caps(settings, clock)
        self._settings = settings
        self._clock = clock
        self._door = door
        self._brokerage = brokerage
        self._tasks = tasks
        self._tickets = Tickets(clock)
        self._preparation = Preparation(tools, self._tickets, caps)
        self._confirmation = Confirmation(settings, tools, self._tickets, caps, self._preparation)
        toolbox = Toolbox(
            tools, self._preparation, self._confirmation, settings.chat_trading, clock
        )
        self._model = model
        self._loop = Loop(settings, model, toolbox)
        self._chats, self._confirmations = (
            ConcurrencyLimit(per_tenant=settings.chats_per_key, total=settings.chats_total)
            for _ in range(2)
        )
        self._instructions = load_instructions(settings.chat_instructions)
        self.analyst = Analyst(settings, model, clock, tasks)

    async def answer(self, question: Question, tell: Tell, deadline: float | None = None) -> Answer:
        """Returns the answer, and tells on the way what happens; cancelling ends the model's call.

        Must be awaited in the task of the tenant's call. Raises BadInput for a conversation that
        is none, AccountNotFound, NoModel, ModelUnavailable, ChatTimeout, and what the broker's
        login raises; what a tool raises is told to the model instead.
        """
        refuse_bad(question.message, question.history)
        limit = self._settings.chat_timeout_s
        if deadline is not None:
            limit = min(limit, deadline - self._clock.monotonic() - MARGIN_S)

        try:
            async with asyncio.timeout(limit) as scope:
                return await self._answer(question, tell)
        except TimeoutError:
            if scope.expired():
                raise ChatTimeout(limit) from None

            raise

    @contextmanager
    def place(self, question: Question) -> Iterator[None]:
        """Counts a chat for as long as its messages are held; raises TooManyChats.

        A message that is nothing but a code is counted apart, so that a prepared order can be
        confirmed while all other chats wait for a model.
        """
        intent = intent_of(question.message)
        limit = self._confirmations if intent.plain and intent.codes else self._chats
        with ExitStack() as held:
            try:
                held.enter_context(limit.hold(question.tenant.id))
            except LimitReached as full:
                raise TooManyChats(
                    running=full.running, allowed=full.allowed, whose=full.whose
                ) from None

            yield

    def conversation(self, question: Question, deadline: float | None) -> Conversation:
        """Returns the answering of a question as something whose events can be waited for."""
        return Conversation(self._tasks, lambda tell: self.answer(question, tell, deadline))

    async def confirm(
        self, tenant: Tenant, code: str, account_id: str
    ) -> tuple[Ticket, PlaceOrderResponse]:
        """Carries out the ticket of a code, for programs."""
        return await self._confirmation.confirm(tenant, code, account_id)

    async def forget(self, tenant_id: str) -> None:
        """Drops what is kept of a tenant, when its credentials change."""
        await self._tickets.forget(tenant_id)

    def warm_up(self) -> None:
        """Loads the model's SDK soon, so that the first question need not wait for it."""
        self._door.load_soon()

    def statistics(self) -> AgentStatistics:
        chats, confirmations = self._chats.statistics(), self._confirmations.statistics()
        return AgentStatistics(
            tickets=self._tickets.statistics(),
            chats=ConcurrencyStatistics(
                running=chats.running + confirmations.running,
                refused=chats.refused + confirmations.refused,
            ),
            analyses=self.analyst.statistics(),
            model=self._model.statistics(),
        )

    async def _answer(self, question: Question, tell: Tell) -> Answer:
        said = await self._confirmed(question)
        if said is not None:
            if said.confirmed is not None:
                tell(said.confirmed)

            tell(Text(said.response))
            return said

        if not self._door.configured:
            raise NoModel

        session = await self._brokerage.session(question.tenant)
        chosen = question.account_id and (await session.account(question.account_id)).number
        accounts = await session.accounts()
        if len(accounts) == 1:
            chosen = accounts[0].number

        waiting = self._tickets.waiting(question.tenant)
        answer = await self._loop.run(
            tenant=question.tenant,
            system=system_of(
                self._instructions,
                context_of(self._clock, accounts, chosen, self._settings.chat_trading),
            ),
            messages=messages_of(question, waiting),
            tell=tell,
        )
        codes = [code for code in intent_of(question.message).codes if code in _codes(waiting)]
        if not codes:
            return answer

        note = unclear_text(codes)
        tell(Text(note))
        return replace(answer, response=answer.response + note)

    async def _confirmed(self, question: Question) -> Answer | None:
        """Deals with a code in the newest message; None where there is nothing to deal with."""
        intent = intent_of(question.message)
        if not intent.plain or not intent.codes:
            return None

        waiting = _codes(self._tickets.waiting(question.tenant))
        live = [code for code in intent.codes if code in waiting]
        if not live:
            return Answer(response=not_found_text(intent.codes[0]))

        if len(live) > 1:
            return Answer(response=unclear_text(live).strip())

        try:
            ticket = await self._confirmation.take(
                question.tenant, live[0], question.account_id or None
            )
        except GatewayError as error:
            return Answer(response=nothing_done_text(error))

        try:
            receipt = await self._confirmation.carry_out(ticket)
        except GatewayError as error:
            return Answer(response=refused_text(error))

        return Answer(
            response=confirmed_text(ticket, receipt),
            confirmed=Confirmed(ticket=ticket, receipt=receipt),
        )


@asynccontextmanager
async def open_agent(
    settings: Settings, clock: Clock, database: Database, rpcs: Rpcs, brokerage: Brokerage
) -> AsyncIterator[Agent]:
    """Yields the agent; leaving ends its conversations and its connections to the model."""
    async with asyncio.TaskGroup() as tasks, LazyModelClient(settings, clock, tasks) as door:
        budget = TokenBudget(database, clock, tasks, allowed=settings.model_day_tokens)
        yield Agent(settings, clock, door, budget, rpcs, brokerage, tasks)


def _codes(tickets: tuple[Ticket, ...]) -> frozenset[str]:
    return frozenset(ticket.code for ticket in tickets)
