"""Places and replaces single orders of any tenant, each once.

Dry runs use neither the order journal nor a name: they ask the broker what an order would mean, and
add what our own risk limits would refuse.
"""

from __future__ import annotations

__all__ = ["OrderService"]

from dataclasses import replace
from decimal import Decimal

from server.brokerage import Brokerage
from server.brokerage.api.order_replies import BrokerWord, Placement
from server.brokerage.api.order_requests import PlaceRequest, ReplaceRequest
from server.brokerage.api.order_specs import OrderSpec
from server.brokerage.api.orders import Order
from server.brokerage.instruments.lookup import InstrumentQuery
from server.clock import Clock
from server.errors import (
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
from server.orders.placing.order_preparer import OrderPreparer, Prepared
from server.orders.placing.validation import PRICED
from server.orders.risk_limits import RiskLimits, Wanted
from server.orders.submitting.caller import Caller
from server.orders.submitting.idempotent_orders import (
    IdempotencyKey,
    IdempotentOrders,
    OrderCommand,
    unrecorded_orders,
)
from server.tenants import Tenant

ANSWER_BEFORE_S = 0.25
"""How long before its deadline a call is answered, so that "not known yet" still arrives."""
DEFAULT_PATIENCE_S = 30.0


class OrderService:
    """Places and replaces single orders."""

    def __init__(
        self,
        brokerage: Brokerage,
        preparer: OrderPreparer,
        idempotent_orders: IdempotentOrders,
        risk_limits: RiskLimits,
        clock: Clock,
    ) -> None:
        self._brokerage = brokerage
        self._preparer = preparer
        self._orders = idempotent_orders
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
        key = IdempotencyKey.of(PlaceRequest.kind, name, draft)
        with unrecorded_orders():
            known = await self._orders.find(caller, key)
            if known is not None:
                return known

            prepared = await self._prepare_new(caller, draft, guarded=guard is not None)
            if guard is not None:
                guard.admit(await self._weighed(caller, prepared))

            spec = replace(prepared.spec, external_identifier=key.name)
            command = _command(PlaceRequest(spec=spec), prepared, notional=prepared.notional)
            return await self._orders.submit(caller, key, command)

    async def dry_run(self, caller: Caller, draft: OrderDraft, name: str | None) -> Receipt:
        """Returns what placing would mean, with the prices that are possible now."""
        check_name(name)
        asked = await self._risk_limits.asks(caller.tenant.id, caller.account.number)
        prepared = await self._prepare(caller, draft, quoted=True, judged=asked.limiting)
        placement = await caller.api.dry_run(prepared.spec)
        return Receipt(
            client_order_id=name or "",
            status="Rejected" if placement.order is None else placement.order.status,
            placement=await self.with_risk_limits(
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
        key = IdempotencyKey.of(ReplaceRequest.kind, name, draft)
        with unrecorded_orders():
            known = await self._orders.find(caller, key)
            if known is not None:
                return known

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

            request = ReplaceRequest(target_id=old.id, spec=_changed(old, prepared, key.name))
            added = await self._added(caller, old, prepared)
            command = _command(request, prepared, notional=added, whole=prepared.notional)
            return await self._orders.submit(caller, key, command)

    async def with_risk_limits(
        self,
        caller: Caller,
        placement: Placement,
        notional: Decimal | None,
        symbols: tuple[str, ...],
        *,
        closes: bool,
    ) -> Placement:
        """Returns a dry run's answer with what the risk limits would refuse."""
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

    async def _prepare_new(self, caller: Caller, draft: OrderDraft, *, guarded: bool) -> Prepared:
        asked = await self._risk_limits.admit(caller.tenant.id, caller.account.number)
        return await self._prepare(
            caller,
            draft,
            quoted=guarded,
            weighed=asked.capped,
            judged=guarded or asked.limiting,
        )

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
        return await self._preparer.prepare(
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
            opening = larger(opening, taken_by(await caller.api.dry_run(prepared.spec)))

        return Weighed(parts=[prepared], opening=opening, closing=prepared.closing)

    async def _working(self, caller: Caller, order_id: str) -> Order:
        try:
            order = await caller.api.order(order_id)
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
        before = await self._preparer.notional(caller.session, draft, new.quotes)
        after = new.notional
        return None if before is None or after is None else max(Decimal(0), after - before)


def _command(
    request: PlaceRequest | ReplaceRequest,
    prepared: Prepared,
    *,
    notional: Decimal | None,
    whole: Decimal | None = None,
) -> OrderCommand:
    # Quotes are stored where they made the price: they are the reason for it.
    pricing = prepared.pricing if prepared.price_source == "mid" else None
    return OrderCommand(
        request=request,
        record=record_of(request.spec, source=prepared.price_source, pricing=pricing),
        notional=notional,
        symbols=prepared.symbols,
        closes=prepared.closes,
        whole=whole,
    )


def _changed(old: Order, prepared: Prepared, name: str) -> OrderSpec:
    """Returns the terms of a replacement: those of the old order but for its price."""
    return replace(
        prepared.spec,
        time_in_force=old.time_in_force or prepared.spec.time_in_force,
        gtc_date=old.gtc_date,
        external_identifier=name,
    )


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
