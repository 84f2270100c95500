"""Risk switches: read only, caps on notional, allowed symbols; of the server and of single tenants.

The server's come from its settings; a tenant's stand in the store and are set by the operator
(`python -m server switches`), never by the key that they bind. Caps count opening orders only, by
day in New York, cancelled ones included: what was sent was sent. They are checked in the very
transaction that writes the ledger, so parallel orders cannot slip through together.
"""

from __future__ import annotations

__all__ = ["NONE", "SwitchBoard", "Switches", "cents", "symbols_from"]

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal

from sqlalchemy import Row, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock, new_york_today
from server.errors import (
    NotPriceable,
    OverDayCap,
    OverOrderCap,
    SymbolNotAllowed,
    TradingReadOnly,
)
from server.orders.schema import ledger, switches
from server.settings import Settings
from server.store import Database

UNCOUNTED = ("refused", "unsent")
"""States of the ledger in which nothing was sent, or nothing came of it."""

MOST_CENTS = 10**15
"""Ten trillion dollars: what is more is written as this, so that thousands of such slips of the
finger still fit into the sum of a day, which the database keeps in 64 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """One set of switches; None and empty mean no limit."""

    read_only: bool = False
    order_cap: Decimal | None = None
    day_cap: Decimal | None = None
    symbols: frozenset[str] = frozenset()

    @property
    def capped(self) -> bool:
        return self.order_cap is not None or self.day_cap is not None


NONE = Switches()


class SwitchBoard:
    """Holds orders against the switches."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._environment = settings.broker
        self._database = database
        self._clock = clock
        self._server = Switches(
            read_only=settings.orders_read_only,
            order_cap=settings.orders_order_cap,
            day_cap=settings.orders_day_cap,
            symbols=symbols_from(settings.orders_symbols),
        )

    async def of(self, tenant_id: str) -> Switches:
        """Returns a tenant's own switches."""
        async with self._database.read() as connection:
            return await self._read(connection, tenant_id)

    async def put(self, tenant_id: str, new: Switches) -> None:
        """Sets a tenant's switches; from the next order on."""
        async with self._database.write() as connection:
            await connection.execute(delete(switches).where(switches.c.tenant_id == tenant_id))
            await connection.execute(
                insert(switches).values(
                    tenant_id=tenant_id,
                    read_only=new.read_only,
                    order_cap_cents=None if new.order_cap is None else cents(new.order_cap),
                    day_cap_cents=None if new.day_cap is None else cents(new.day_cap),
                    symbols=",".join(sorted(new.symbols)),
                    updated_at=self._clock.now(),
                )
            )

    async def admit(self, tenant_id: str) -> bool:
        """Returns whether caps will ask for an order's notional; raises TradingReadOnly.

        The first look, before anything is prepared; `check` decides.
        """
        own = await self.of(tenant_id)
        _refuse_read_only(self._server, "server")
        _refuse_read_only(own, "API key")
        return self._server.capped or own.capped

    async def rehearse(
        self, tenant_id: str, notional: Decimal | None, symbols: Iterable[str]
    ) -> None:
        """Raises what `check` would raise now; for dry runs, which reserve nothing."""
        async with self._database.read() as connection:
            day = new_york_today(self._clock)
            await self.check(connection, tenant_id, day, notional, symbols)

    async def check(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        day: date,
        notional: Decimal | None,
        symbols: Iterable[str],
        whole: Decimal | None = None,
    ) -> None:
        """Raises NotAllowed unless the order may be sent, in the caller's own transaction.

        Of an order that replaces another `notional` is what it adds, and `whole` what it then is:
        else an order would pass its cap in small steps. What adds nothing may always be sent.
        """
        own = await self._read(connection, tenant_id)
        for set_, whose in ((self._server, "server"), (own, "API key")):
            _refuse_read_only(set_, whose)
            for symbol in symbols:
                if set_.symbols and not _allowed(symbol, set_.symbols):
                    raise SymbolNotAllowed(whose, symbol)

        await self._check_caps(
            connection, own, tenant_id, day, notional, notional if whole is None else whole
        )

    async def _check_caps(
        self,
        connection: AsyncConnection,
        own: Switches,
        tenant_id: str,
        day: date,
        notional: Decimal | None,
        whole: Decimal | None,
    ) -> None:
        if not (self._server.capped or own.capped):
            return

        if notional is None or whole is None:
            raise NotPriceable("the caps of the risk switches need a price")

        for set_, whose in ((self._server, "server"), (own, "API key")):
            if not notional:
                continue
            if set_.order_cap is not None and whole > set_.order_cap:
                raise OverOrderCap(whose, notional=f"{whole:.2f}", allowed=f"{set_.order_cap:.2f}")
            if set_.day_cap is None:
                continue

            used = await self._used(connection, None if whose == "server" else tenant_id, day)
            if used + notional > set_.day_cap:
                raise OverDayCap(
                    whose,
                    notional=f"{notional:.2f}",
                    used=f"{used:.2f}",
                    allowed=f"{set_.day_cap:.2f}",
                )

    async def _used(self, connection: AsyncConnection, tenant_id: str | None, day: date) -> Decimal:
        query = select(func.coalesce(func.sum(ledger.c.notional_cents), 0)).where(
            ledger.c.environment == self._environment,
            ledger.c.day == day,
            ledger.c.state.not_in(UNCOUNTED),
        )
        if tenant_id is not None:
            query = query.where(ledger.c.tenant_id == tenant_id)

        return Decimal(int(await connection.scalar(query) or 0)) / 100

    @staticmethod
    async def _read(connection: AsyncConnection, tenant_id: str) -> Switches:
        found = await connection.execute(select(switches).where(switches.c.tenant_id == tenant_id))
        row = found.one_or_none()
        return NONE if row is None else _from(row)


def cents(amount: Decimal) -> int:
    """Returns whole cents, rounded up: a cap is never passed by a fraction."""
    return min(int((amount * 100).to_integral_value(ROUND_CEILING)), MOST_CENTS)


def _from(row: Row[tuple[object, ...]]) -> Switches:
    return Switches(
        read_only=row.read_only,
        order_cap=None if row.order_cap_cents is None else Decimal(row.order_cap_cents) / 100,
        day_cap=None if row.day_cap_cents is None else Decimal(row.day_cap_cents) / 100,
        symbols=symbols_from(row.symbols),
    )


def symbols_from(text: str) -> frozenset[str]:
    """Returns the symbols in a comma-separated text."""
    return frozenset(name.strip().upper() for name in text.split(",") if name.strip())


def _allowed(symbol: str, allowed: frozenset[str]) -> bool:
    """Whether a symbol, or of a future its product (`/ES` for `/ESZ6`), is among the allowed."""
    product = symbol.rstrip("0123456789")[:-1] if symbol.startswith("/") else symbol
    return symbol in allowed or product in allowed


def _refuse_read_only(own: Switches, whose: str) -> None:
    if own.read_only:
        raise TradingReadOnly(whose)
