"""Places orders that depend on each other (OCO, OTO and OTOCO), each once as a whole.

The broker gives the whole no identifier, so each part carries ours: that is how the whole is found
when its answer was lost.
"""

from __future__ import annotations

__all__ = ["ComplexOrderService"]

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from server.brokerage.api.order_requests import PlaceComplexRequest
from server.brokerage.api.order_specs import ComplexSpec
from server.errors import InvalidField, NothingGiven
from server.orders.model.drafts import ComplexDraft
from server.orders.model.names import check_name
from server.orders.model.receipts import Receipt
from server.orders.model.records import Priced, record_of
from server.orders.placing.model_order_guard import Guard, Weighed, larger, taken_by
from server.orders.placing.order_preparer import OrderPreparer, Prepared
from server.orders.placing.order_service import OrderService
from server.orders.risk_limits import RiskLimits
from server.orders.submitting.caller import Caller
from server.orders.submitting.idempotent_orders import (
    IdempotencyKey,
    IdempotentOrders,
    OrderCommand,
    unrecorded_orders,
)

CHILDREN: Mapping[str, int] = {"OCO": 2, "OTO": 1, "OTOCO": 2}
"""How many orders depend, by type."""
TRIGGERED = frozenset({"OTO", "OTOCO"})
NOT_PRICED = Priced(price=None, source="", pricing=None)


class ComplexOrderService:
    """Places complex orders."""

    def __init__(
        self,
        single: OrderService,
        preparer: OrderPreparer,
        idempotent_orders: IdempotentOrders,
        risk_limits: RiskLimits,
    ) -> None:
        self._single = single
        self._preparer = preparer
        self._orders = idempotent_orders
        self._risk_limits = risk_limits

    async def place(
        self, caller: Caller, draft: ComplexDraft, name: str | None, guard: Guard | None = None
    ) -> Receipt:
        """Places the orders, or returns what became of those of that name.

        A guard is asked before new ones are sent; it raises NotAllowed.
        """
        _check(draft)
        key = IdempotencyKey.of(PlaceComplexRequest.kind, name, draft)
        with unrecorded_orders():
            known = await self._orders.find(caller, key)
            if known is not None:
                return known

            asked = await self._risk_limits.admit(caller.tenant.id, caller.account.number)
            parts = await self._prepared(
                caller,
                draft,
                quoted=guard is not None,
                weighed=asked.capped,
                judged=guard is not None or asked.limiting,
            )
            if guard is not None:
                guard.admit(await self._weighed(caller, draft, parts))

            spec = _spec(draft, parts, key.name)
            command = OrderCommand(
                request=PlaceComplexRequest(spec=spec),
                record=record_of(spec),
                notional=_notional(draft, parts),
                symbols=_symbols(parts),
                closes=all(part.closes for part in parts),
            )
            return await self._orders.submit(caller, key, command)

    async def dry_run(self, caller: Caller, draft: ComplexDraft, name: str | None) -> Receipt:
        """Returns what placing would mean."""
        check_name(name)
        _check(draft)
        asked = await self._risk_limits.asks(caller.tenant.id, caller.account.number)
        parts = await self._prepared(caller, draft, judged=asked.limiting)
        placement = await caller.api.dry_run(_spec(draft, parts, None))
        return Receipt(
            client_order_id=name or "",
            status="Checked",
            placement=await self._single.with_risk_limits(
                caller,
                placement,
                _notional(draft, parts),
                _symbols(parts),
                closes=all(part.closes for part in parts),
            ),
            priced=NOT_PRICED,
            dry_run=True,
        )

    async def _weighed(
        self, caller: Caller, draft: ComplexDraft, parts: Sequence[Prepared]
    ) -> Weighed:
        opening = _notional(draft, parts)
        if opening is not None and not all(part.closes for part in parts):
            # The whole is netted, so what it takes tells nothing where a part has no price.
            taken = taken_by(await caller.api.dry_run(_spec(draft, parts, None)))
            opening = larger(opening, taken)

        closing = _either(draft, [part.closing for part in parts])
        return Weighed(parts=parts, opening=opening, closing=closing)

    async def _prepared(
        self,
        caller: Caller,
        draft: ComplexDraft,
        *,
        quoted: bool = False,
        weighed: bool = False,
        judged: bool = False,
    ) -> Sequence[Prepared]:
        parts = [] if draft.trigger is None else [("trigger_order.", draft.trigger)]
        parts += [(f"orders[{index}].", each) for index, each in enumerate(draft.orders)]
        prepared: list[Prepared] = []
        for where, part in parts:
            triggered = draft.trigger is not None and prepared
            prepared.append(
                await self._preparer.prepare(
                    caller.tenant,
                    caller.session,
                    caller.account,
                    part,
                    quoted=quoted,
                    weighed=weighed,
                    judged=judged,
                    where=where,
                    priced=True,
                    coming=_change_of(prepared[0]) if triggered else {},
                )
            )

        return prepared


def _change_of(trigger: Prepared) -> Mapping[str, Decimal]:
    """Returns what a trigger changes of the positions once it is filled."""
    return {
        leg.symbol: (leg.quantity or Decimal(0)) * (1 if leg.action.startswith("Buy") else -1)
        for leg in trigger.spec.legs
    }


def _check(draft: ComplexDraft) -> None:
    if draft.type not in CHILDREN:
        raise InvalidField("type", draft.type, f"one of {', '.join(CHILDREN)}")
    if not draft.orders:
        raise NothingGiven("order")
    if len(draft.orders) != CHILDREN[draft.type]:
        count = CHILDREN[draft.type]
        raise InvalidField("orders", len(draft.orders), f"{count} in an order of type {draft.type}")
    if draft.type in TRIGGERED and draft.trigger is None:
        raise InvalidField("trigger_order", "", f"an order: {draft.type} needs it")
    if draft.type not in TRIGGERED and draft.trigger is not None:
        raise InvalidField("trigger_order", "…", f"nothing there in {draft.type}")


def _spec(draft: ComplexDraft, parts: Sequence[Prepared], name: str | None) -> ComplexSpec:
    specs = [replace(part.spec, external_identifier=name) for part in parts]
    trigger = None if draft.trigger is None else specs.pop(0)
    return ComplexSpec(type=draft.type, trigger=trigger, orders=tuple(specs))


def _notional(draft: ComplexDraft, parts: Sequence[Prepared]) -> Decimal | None:
    """Returns what all parts commit."""
    return _either(draft, [part.notional for part in parts])


def _either(draft: ComplexDraft, amounts: Sequence[Decimal | None]) -> Decimal | None:
    """Returns the sum of all parts; of orders that cancel each other only one can be filled."""
    known = [amount for amount in amounts if amount is not None]
    if len(known) < len(amounts):
        return None

    first = Decimal(0) if draft.trigger is None else known.pop(0)
    return first + (sum(known, Decimal(0)) if draft.type == "OTO" else max(known))


def _symbols(parts: Sequence[Prepared]) -> tuple[str, ...]:
    return tuple({symbol: None for part in parts for symbol in part.symbols})
