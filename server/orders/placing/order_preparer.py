"""Prepares a draft for sending: resolves instruments, actions and price, and values it.

Everything that can be refused without sending the order is refused here. Nothing is sent and
nothing recorded: a call that ends here leaves no trace but in the log.
"""

from __future__ import annotations

__all__ = ["OrderPreparer", "Prepared"]

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from weakref import WeakKeyDictionary

from server.brokerage import BrokerSession
from server.brokerage.api.accounts import Account
from server.brokerage.api.order_specs import CLOSING, LegSpec, OrderSpec
from server.brokerage.instruments.contracts import Contract, Contracts
from server.brokerage.instruments.lookup import Lookup
from server.brokerage.instruments.symbols import InstrumentKind, parse
from server.clock import Clock, new_york_today
from server.errors import GatewayError, InvalidField, NotPriceable, WrongSign
from server.orders.model.actions import SHORT_WORDS, map_action
from server.orders.model.drafts import LegDraft, OrderDraft
from server.orders.model.notional import notional_of
from server.orders.model.pricing import LegQuote, PricedLeg, Pricing, flaw_of, price
from server.orders.model.ticks import Grid
from server.orders.placing.closing import only_closes
from server.orders.placing.order_quotes import OrderQuotes
from server.orders.placing.validation import check_contracts, check_draft, check_prices, sides
from server.tenants import Tenant

PATIENCE = timedelta(seconds=5)
"""How long live quotes are waited for when there is no price without them."""
INFORMING_PATIENCE = timedelta(seconds=3)
"""How long they are waited for where they only inform: in a dry run, or to check a price's sign. A
warm feed answers at once; one that was never used is opened within this."""
LIMIT = timedelta(seconds=3)
"""Time for the rest of pricing: finding the instruments, and the broker's snapshot."""


NOTHING: Mapping[str, Decimal] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An order ready to be sent, and how it came to be so."""

    spec: OrderSpec
    price_source: str
    """`given`, `mid`, or empty for an order without a price."""
    pricing: Pricing | None
    quotes: Mapping[str, LegQuote]
    """What was asked of the market, by symbol."""
    notional: Decimal | None
    """What it commits, in dollars: 0 where it only closes, None where no price is known."""
    symbols: tuple[str, ...]
    """Its underlyings."""
    closes: bool
    """Whether it can only reduce a position; of a future False also where nobody asked."""
    closing: Decimal | None
    """What it closes is worth, in dollars: 0 where it closes nothing, None without a price."""


class OrderPreparer:
    """Prepares orders of any tenant, with what it learned of instruments kept for the day."""

    def __init__(self, quotes: OrderQuotes, clock: Clock) -> None:
        self._quotes = quotes
        self._clock = clock
        self._known: WeakKeyDictionary[BrokerSession, tuple[Lookup, Contracts]] = (
            WeakKeyDictionary()
        )

    async def prepare(
        self,
        tenant: Tenant,
        session: BrokerSession,
        account: Account,
        draft: OrderDraft,
        *,
        quoted: bool = False,
        weighed: bool = False,
        judged: bool = False,
        where: str = "",
        priced: bool = False,
        coming: Mapping[str, Decimal] = NOTHING,
        replaced: str | None = None,
    ) -> Prepared:
        """Returns the order; raises BadInput or NotFound, with what is wrong and where.

        `quoted` asks for quotes although there is a price, and does without if none come, and
        `weighed` does so for an order that opens a position; `judged` finds out of a future whether
        the order only reduces one; `priced` refuses a limit without a price instead of asking for
        quotes; `coming` is what a trigger will have bought (sold: negative) before this order
        works, by symbol; `replaced` is the order that this one replaces.
        """
        check_draft(draft, where=where, priced=priced)
        contracts = await self.contracts(session, draft.legs, where=where)
        check_contracts(draft, contracts, self._clock.now(), where=where)
        check_prices(draft, contracts, where=where)
        # Asked before pricing: a wrong position would be as bad as a wrong price.
        draft = await self._with_actions(session, account, draft, contracts, coming)
        closes = all(leg.action in CLOSING for leg in draft.legs)
        if judged and not closes:
            closes = await only_closes(
                session, account, draft, contracts, coming=coming, replaced=replaced
            )

        informed = quoted or (weighed and not closes)
        quotes = await self._quotes_for(tenant, draft, contracts, quoted=informed)
        return self._finished(draft, contracts, quotes, where=where, closes=closes)

    async def contracts(
        self, session: BrokerSession, legs: Sequence[LegDraft], *, where: str = ""
    ) -> list[Contract]:
        """Returns the legs' contracts, in their order."""
        known = self._known.get(session)
        if known is None:
            known = self._known[session] = (Lookup(), Contracts(session, self._clock))

        lookup, contracts = known
        found = []
        for index, leg in enumerate(legs):
            self._refuse_expired(leg, f"{where}legs[{index}].symbol")
            instrument = await lookup.resolve(session, leg.instrument)
            found.append(await contracts.get(instrument))

        return found

    async def notional(
        self, session: BrokerSession, draft: OrderDraft, quotes: Mapping[str, LegQuote]
    ) -> Decimal | None:
        """Returns what a draft commits by these quotes, without asking for others."""
        return notional_of(draft, await self.contracts(session, draft.legs), quotes)

    def _refuse_expired(self, leg: LegDraft, field: str) -> None:
        # By its name alone: the broker knows only what is still listed.
        expiration = parse(leg.instrument.symbol, field=field).expiration
        if expiration is not None and expiration < new_york_today(self._clock):
            raise InvalidField(field, leg.instrument.symbol, "a contract that has not expired")

    async def _with_actions(
        self,
        session: BrokerSession,
        account: Account,
        draft: OrderDraft,
        contracts: Sequence[Contract],
        coming: Mapping[str, Decimal],
    ) -> OrderDraft:
        future = InstrumentKind.FUTURE
        if all(leg.action not in SHORT_WORDS for leg in draft.legs) or contracts[0].kind is future:
            return draft

        positions = await session.positions(account)
        legs = tuple(
            replace(leg, action=map_action(leg.action, contract, positions, coming))
            for leg, contract in zip(draft.legs, contracts, strict=True)
        )
        return replace(draft, legs=legs)

    async def _quotes_for(
        self, tenant: Tenant, draft: OrderDraft, contracts: Sequence[Contract], *, quoted: bool
    ) -> Mapping[str, LegQuote]:
        needed = draft.order_type == "Limit" and draft.price is None
        guarded = draft.price is not None and len(sides(draft)) > 1
        if not (needed or guarded or quoted):
            return {}

        patience = PATIENCE if needed else INFORMING_PATIENCE
        try:
            async with asyncio.timeout(patience.total_seconds() + LIMIT.total_seconds()):
                return await self._quotes.of(tenant, contracts, patience)
        except (GatewayError, TimeoutError) as failure:
            if not needed:
                return {}

            why = str(failure).rstrip(".") or "no quotes came in time"
            raise NotPriceable(why) from failure

    def _finished(
        self,
        draft: OrderDraft,
        contracts: Sequence[Contract],
        quotes: Mapping[str, LegQuote],
        *,
        where: str,
        closes: bool,
    ) -> Prepared:
        pricing = _pricing(draft, contracts, quotes)
        source = "" if draft.price is None else "given"
        if draft.order_type == "Limit" and draft.price is None:
            draft = replace(draft, price=_mid(contracts, quotes, pricing))
            source = "mid"
        elif draft.price is not None and pricing is not None:
            _refuse_opposite(draft.price, pricing, f"{where}price")

        opened = notional_of(draft, contracts, quotes)
        closed = notional_of(draft, contracts, quotes, closing=True)
        by_position = closes and draft.legs[0].action not in CLOSING
        return Prepared(
            spec=_spec(draft, contracts),
            price_source=source,
            pricing=pricing,
            quotes=quotes,
            notional=Decimal(0) if closes else opened,
            symbols=tuple({contract.underlying_symbol: None for contract in contracts}),
            closes=closes,
            closing=opened if by_position else closed,
        )


def _pricing(
    draft: OrderDraft, contracts: Sequence[Contract], quotes: Mapping[str, LegQuote]
) -> Pricing | None:
    legs = []
    for leg, contract in zip(draft.legs, contracts, strict=True):
        quote = quotes.get(contract.symbol)
        if quote is None or (quote.bid or 0) > (quote.ask or 0):
            return None

        buys = leg.action.startswith("Buy")
        # A notional order has no quantity: its price is that of one unit.
        quantity = leg.quantity or Decimal(1)
        legs.append(PricedLeg(buys=buys, quantity=quantity, quote=quote))

    return price(legs, Grid(tuple(contract.ticks for contract in contracts)))


def _mid(
    contracts: Sequence[Contract], quotes: Mapping[str, LegQuote], pricing: Pricing | None
) -> Decimal:
    flaws = []
    for contract in contracts:
        quote = quotes.get(contract.symbol)
        flaw = f"no quote of {contract.symbol} came in time" if quote is None else flaw_of(quote)
        if flaw is not None:
            flaws.append(flaw)

    if flaws:
        raise NotPriceable("; ".join(flaws))
    if pricing is None or not pricing.mid:
        shown = ", ".join(f"{q.symbol} {q.bid}/{q.ask}" for q in quotes.values())
        raise NotPriceable(f"the net mid is 0 ({shown})")

    return pricing.mid


def _refuse_opposite(given: Decimal, pricing: Pricing, field: str) -> None:
    """Rejects a price whose sign contradicts the market's."""
    if any(flaw_of(quote) for quote in pricing.quotes):
        return

    lowest, highest = sorted((pricing.natural, pricing.passive))
    if given < 0 < lowest:
        market = f"the market pays {pricing.mid:f} for this order"
    elif given > 0 > highest:
        market = f"this order costs {abs(pricing.mid):f} at the market"
    else:
        return

    raise WrongSign(field, given=f"{given:f}", market=market)


def _spec(draft: OrderDraft, contracts: Sequence[Contract]) -> OrderSpec:
    return OrderSpec(
        legs=tuple(
            LegSpec(
                symbol=contract.symbol,
                instrument_type=contract.kind.value,
                action=leg.action,
                quantity=leg.quantity,
            )
            for leg, contract in zip(draft.legs, contracts, strict=True)
        ),
        order_type=draft.order_type,
        time_in_force=draft.time_in_force,
        price=draft.price,
        stop_trigger=draft.stop_trigger,
        value=draft.value,
    )
