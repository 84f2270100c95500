"""The order desk: places and replaces orders of any tenant, each once.

Dry runs touch neither the ledger nor a name: they ask the broker what an order would mean, and add
what our own risk switches would say.
"""

from __future__ import annotations

__all__ = ["OrderService"]

from dataclasses import replace
from decimal import Decimal
from typing import Any

from server.brokerage import Brokerage
from server.brokerage.api.json_reader import ParseFaults
from server.brokerage.api.order_api import placement_of
from server.brokerage.api.order_replies import BrokerWord, Placement
from server.brokerage.api.orders import Order
from server.brokerage.instruments.lookup import InstrumentQuery
from server.brokerage.transport.send_progress import SendProgress
from server.clock import Clock
from server.errors import (
    BrokerUnreadable,
    InvalidField,
    NotAllowed,
    NotPriceable,
    OrderNotFound,
)
from server.orders.model.drafts import ChangeDraft, LegDraft, OrderDraft
from server.orders.model.names import check_name
from server.orders.model.receipts import Receipt
from server.orders.model.records import Priced, record_of
from server.orders.placing.model_order_guard import Guard, Weighed, larger, taken_by
from server.orders.placing.order_preparer import Preparation, Prepared
from server.orders.placing.validation import PRICED
from server.orders.risk_limits import RiskLimits, Wanted
from server.orders.submitting.idempotent_orders import Caller, IdempotentOrders, OrderCommand
from server.tenants import Tenant

ANSWER_BEFORE_S = 0.25
"""How much earlier than its deadline a call is answered: "not known yet" is an answer, too."""
DEFAULT_PATIENCE_S = 30.0


class OrderService:
    """Places and replaces single orders."""

    def __init__(
        self,
        brokerage: Brokerage,
        preparation: Preparation,
        idempotent_orders: IdempotentOrders,
        risk_limits: RiskLimits,
        clock: Clock,
    ) -> None:
        self._brokerage = brokerage
        self._preparation = preparation
        self._errands = idempotent_orders
        self._risk_limits = risk_limits
        self._clock = clock

    async def caller(self, tenant: Tenant, account_id: str, deadline: float | None) -> Caller:
        """Returns who calls; raises MissingAccountId or AccountNotFound."""
        session = await self._brokerage.session(tenant)
        now = self._clock.monotonic()
        until = now + DEFAULT_PATIENCE_S if deadline is None else deadline
        return Caller(
            tenant=tenant,
            session=session,
            account=await session.account(account_id),
            deadline=until - ANSWER_BEFORE_S,
        )

    async def place(
        self, caller: Caller, draft: OrderDraft, name: str | None, guard: Guard | None = None
    ) -> Receipt:
        """Places an order, or returns what became of the one of that name.

        A guard is asked before a new order is sent; it raises NotAllowed.
        """

        async def make(chosen: str) -> OrderCommand:
            asked = await self._risk_limits.admit(caller.tenant.id, caller.account.number)
            guarded = guard is not None
            prepared = await self._prepare(
                caller,
                draft,
                quoted=guarded,
                weighed=asked.capped,
                judged=guarded or asked.limiting,
            )
            spec = replace(prepared.spec, external_identifier=chosen)
            if guard is not None:
                guard.admit(await self._weighed(caller, prepared))

            async def send(progress: SendProgress) -> tuple[dict[str, Any], str]:
                return _placed(await caller.pages.place(spec, progress))

            return OrderCommand(
                record=_record(prepared),
                send=send,
                notional=prepared.notional,
                symbols=prepared.symbols,
                closes=prepared.closes,
            )

        return await self._errands.run(caller, "place", name, draft, make)

    async def dry_run(self, caller: Caller, draft: OrderDraft, name: str | None) -> Receipt:
        """Returns what placing would mean, with the prices that are possible now."""
        check_name(name)
        asked = await self._risk_limits.asks(caller.tenant.id, caller.account.number)
        prepared = await self._prepare(caller, draft, quoted=True, judged=asked.limiting)
        placement = await caller.pages.dry_run(prepared.spec)
        return Receipt(
            client_order_id=name or "",
            status="Rejected" if placement.order is None else placement.order.status,
            placement=await self.with_switches(
                caller, placement, prepared.notional, prepared.symbols, closes=prepared.closes
            ),
            priced=Priced(
                price=prepared.spec.price,
                source=prepared.price_source,
                pricing=prepared.pricing,
            ),
            dry_run=True,
        )

    async def replace(
        self, caller: Caller, draft: ChangeDraft, name: str | None, guard: Guard | None = None
    ) -> Receipt:
        """Gives a working order another price, or returns what became of the change of that name.

        All else stays: legs, time in force, its last day, the trigger, and what was filled. A guard
        is asked as in `place`.
        """

        async def make(chosen: str) -> OrderCommand:
            asked = await self._risk_limits.admit(caller.tenant.id, caller.account.number)
            old = await self._working(caller, draft.order_id)
            prepared = await self._prepare(
                caller,
                _draft_of(old, draft.price),
                quoted=guard is not None,
                weighed=asked.capped,
                judged=guard is not None or asked.limiting,
                replaced=old.id,
            )
            if guard is not None:
                opening, closing = prepared.notional, prepared.closing
                guard.admit(Weighed(parts=[prepared], opening=opening, closing=closing))

            spec = replace(
                prepared.spec,
                time_in_force=old.time_in_force or prepared.spec.time_in_force,
                gtc_date=old.gtc_date,
                external_identifier=chosen,
            )

            async def send(progress: SendProgress) -> tuple[dict[str, Any], str]:
                data = await caller.pages.replace(old.id, spec, progress)
                return _placed({"order": data})

            return OrderCommand(
                record=_record(replace(prepared, spec=spec)),
                send=send,
                notional=await self._added(caller, old, prepared),
                whole=prepared.notional,
                symbols=prepared.symbols,
                closes=prepared.closes,
                target_id=old.id,
            )

        return await self._errands.run(caller, "replace", name, draft, make)

    async def with_switches(
        self,
        caller: Caller,
        placement: Placement,
        notional: Decimal | None,
        symbols: tuple[str, ...],
        *,
        closes: bool,
    ) -> Placement:
        """Returns a dry run's answer with what the risk switches would refuse."""
        wanted = Wanted(
            tenant_id=caller.tenant.id,
            account_number=caller.account.number,
            notional=notional,
            symbols=symbols,
            closes=closes,
        )
        try:
            await self._risk_limits.rehearse(wanted)
        except (NotAllowed, NotPriceable) as refused:
            code = f"risk_switch.{refused.metadata.get('switch', 'caps')}"
            word = BrokerWord(code=code, message=str(refused))
            return replace(placement, errors=(*placement.errors, word))

        return placement

    async def _prepare(
        self,
        caller: Caller,
        draft: OrderDraft,
        *,
        quoted: bool = False,
        weighed: bool = False,
        judged: bool = False,
        replaced: str | None = None,
    ) -> Prepared:
        return await self._preparation.prepare(
            caller.tenant,
            caller.session,
            caller.account,
            draft,
            quoted=quoted,
            weighed=weighed,
            judged=judged,
            replaced=replaced,
        )

    async def _weighed(self, caller: Caller, prepared: Prepared) -> Weighed:
        """Returns an order with what it takes of the buying power: a short option costs more."""
        opening = prepared.notional
        if not prepared.closes:
            opening = larger(opening, taken_by(await caller.pages.dry_run(prepared.spec)))

        return Weighed(parts=[prepared], opening=opening, closing=prepared.closing)

    async def _working(self, caller: Caller, order_id: str) -> Order:
        try:
            order = await caller.pages.order(order_id)
        except OrderNotFound:
            order = None

        if order is None or order.is_terminal:
            live = await caller.session.live_orders(caller.account)
            raise OrderNotFound(order_id, [each.id for each in live.items])
        if order.order_type not in PRICED:
            given = order.order_type or "unknown"
            raise InvalidField("order_id", f"{order_id} ({given})", "an order with a limit price")

        return order

    async def _added(self, caller: Caller, old: Order, new: Prepared) -> Decimal | None:
        """Returns what the new price commits beyond the old one: the day has counted that one."""
        draft = _draft_of(old, old.price)
        before = await self._preparation.notional(caller.session, draft, new.quotes)
        after = new.notional
        return None if before is None or after is None else max(Decimal(0), after - before)


def _record(prepared: Prepared) -> dict[str, Any]:
    # Quotes are kept where they made the price: they are the reason for it.
    pricing = prepared.pricing if prepared.price_source == "mid" else None
    return dict(record_of(prepared.spec, source=prepared.price_source, pricing=pricing))


def _placed(data: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Returns an answer with the number of its order; raises BrokerUnreadable without one."""
    placement = placement_of(data, ParseFaults())
    if placement.order is None:
        raise BrokerUnreadable("a placement without its order")

    return data, placement.order.id


def _draft_of(old: Order, price: Decimal | None) -> OrderDraft:
    """Returns a working order as a draft; prices are per unit, so its fills do not matter."""
    return OrderDraft(
        legs=tuple(
            LegDraft(
                instrument=InstrumentQuery(symbol=leg.symbol),
                action=leg.action or "",
                quantity=leg.quantity,
            )
            for leg in old.legs
        ),
        price=price,
        order_type=old.order_type or "Limit",
        stop_trigger=old.stop_trigger,
    )
