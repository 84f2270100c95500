"""Checks orders against the risk limits: read only, reduce only, caps on notional, allowed symbols.

The server's come from its settings; a tenant's stand in the store and are set by the operator
(`python -m server switches`), never by the key that they bind. Caps count opening orders only, by
day in New York, cancelled ones included: what was sent was sent. They are checked in the very
transaction that writes the order journal, so parallel orders cannot slip through together.

`read_only` is a viewer's key: it binds that key, and nothing of it passes. All others bind the
accounts too, and none of them keeps anybody from getting out: cancels and orders that only reduce a
position pass them.
"""

from __future__ import annotations

__all__ = [
    "NONE",
    "Admission",
    "Bond",
    "RiskLimits",
    "Switches",
    "Wanted",
    "cents",
    "symbols_from",
]

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock, new_york_today
from server.errors import (
    NotPriceable,
    OverDayCap,
    OverOrderCap,
    ReduceOnly,
    SymbolNotAllowed,
    TradingReadOnly,
)
from server.orders import risk_limit_rows as switch_rows
from server.orders.risk_limit_rows import Bond, Switches, cents, symbols_from
from server.settings import Settings
from server.store import Database

NONE = Switches()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an order asks of the switches."""

    tenant_id: str
    account_number: str
    notional: Decimal | None
    """What it commits; None where no price is known."""
    symbols: tuple[str, ...]
    closes: bool
    """Whether it only reduces a position, or is a cancel."""
    whole: Decimal | None = None
    """What an order commits that replaces another; `notional` is then what it adds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What the switches will ask of an order."""

    limiting: bool
    """It matters to them whether the order only reduces a position."""
    capped: bool
    """Caps ask for the notional of an order that opens one."""


class RiskLimits:
    """Checks orders against the risk limits of the server and of tenants."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._environment = settings.broker
        self._database = database
        self._clock = clock
        self._server = Switches(
            read_only=settings.orders_read_only,
            reduce_only=settings.orders_reduce_only,
            order_cap=settings.orders_order_cap,
            day_cap=settings.orders_day_cap,
            symbols=symbols_from(settings.orders_symbols),
        )
        self._viewers: set[str] = set()
        """Tenants that were read only when this process last read them."""

    async def of(self, tenant_id: str) -> Switches:
        """Returns a tenant's own switches."""
        async with self._database.read() as connection:
            return await switch_rows.own_switches(connection, tenant_id) or NONE

    async def find(self, beginning: str) -> str | None:
        """Returns the tenant, gone or not, with switches of its own whose id begins so."""
        async with self._database.read() as connection:
            found = await switch_rows.tenants_of(connection, beginning)

        return found[0] if beginning and len(found) == 1 else None

    async def accounts_of(self, tenant_id: str) -> Sequence[str]:
        """Returns the accounts that a tenant's switches bind."""
        async with self._database.read() as connection:
            return await switch_rows.accounts_of(connection, self._environment, tenant_id)

    async def traded_in(self, tenant_id: str) -> Sequence[str]:
        """Returns the accounts that a tenant has traded in."""
        async with self._database.read() as connection:
            return await switch_rows.traded_in(connection, self._environment, tenant_id)

    async def binding(self, tenant_id: str, account_number: str) -> Sequence[Bond]:
        """Returns the switches that bind orders of a tenant in an account, the server's apart."""
        async with self._database.read() as connection:
            return await self._bonds(connection, tenant_id, account_number)

    async def put(self, tenant_id: str, new: Switches, accounts: Iterable[str] = ()) -> None:
        """Sets a tenant's switches; from the next order on.

        They bind its API key, the accounts that were traded with it, and those that are named.
        """
        async with self._database.write() as connection:
            await switch_rows.put(connection, tenant_id, new, self._clock.now())
            await switch_rows.bind_accounts(connection, self._environment, tenant_id, accounts)

    async def admit(self, tenant_id: str, account_number: str) -> Admission:
        """Returns what the switches will ask of an order; raises TradingReadOnly.

        An early check, before anything is prepared; `check` decides. An account in which a bound
        key trades is bound from here on.
        """
        bonds = await self.binding(tenant_id, account_number)
        self.refuse_read_only(bonds)
        for bond in bonds:
            await self._bind(bond, account_number)

        return self._asked(bonds)

    async def asks(self, tenant_id: str, account_number: str) -> Admission:
        """Returns what the switches would ask of an order, and changes nothing."""
        return self._asked(await self.binding(tenant_id, account_number))

    async def check_cancel(
        self, connection: AsyncConnection, tenant_id: str, account_number: str
    ) -> None:
        """Raises TradingReadOnly where a tenant may not even cancel."""
        self.refuse_read_only(await self._bonds(connection, tenant_id, account_number))

    def refuse_known_viewer(self, tenant_id: str) -> None:
        """Raises TradingReadOnly by what was read last, where the store cannot be asked."""
        if self._server.read_only:
            raise TradingReadOnly("server")
        if tenant_id in self._viewers:
            raise TradingReadOnly("API key")

    def refuse_read_only(self, bonds: Iterable[Bond]) -> None:
        """Raises TradingReadOnly where nothing may be changed, not even by a cancel.

        Another key's does not count: one may look at an account in which another one trades.
        """
        for set_, whose in self._sets(bond for bond in bonds if bond.own):
            if set_.read_only:
                raise TradingReadOnly(whose)

    async def rehearse(self, wanted: Wanted) -> None:
        """Raises what `check` would raise now; for dry runs, which reserve nothing."""
        async with self._database.read() as connection:
            await self.check(connection, new_york_today(self._clock), wanted)

    async def check(self, connection: AsyncConnection, day: date, wanted: Wanted) -> None:
        """Raises NotAllowed unless the order may be sent, in the caller's own transaction.

        Of an order that replaces another `notional` is what it adds, and `whole` what it then is:
        else an order would pass its cap in small steps. What adds nothing may always be sent.
        """
        bonds = await self._bonds(connection, wanted.tenant_id, wanted.account_number)
        self.refuse_read_only(bonds)
        if wanted.closes:
            return

        for set_, whose in self._sets(bonds):
            if set_.reduce_only:
                raise ReduceOnly(whose)

            for symbol in wanted.symbols:
                if set_.symbols and not _allowed(symbol, set_.symbols):
                    raise SymbolNotAllowed(whose, symbol)

        await self._check_caps(connection, bonds, day, wanted)

    async def _check_caps(
        self, connection: AsyncConnection, bonds: Sequence[Bond], day: date, wanted: Wanted
    ) -> None:
        capped: list[tuple[Switches, Bond | None]] = [
            (self._server, None),
            *((bond.switches, bond) for bond in bonds),
        ]
        if not any(set_.capped for set_, _ in capped):
            return

        notional = wanted.notional
        whole = notional if wanted.whole is None else wanted.whole
        if notional is None or whole is None:
            raise NotPriceable("the caps of the risk switches need a price")
        if not notional:
            return

        for set_, bond in capped:
            whose = "server" if bond is None else bond.whose
            if set_.order_cap is not None and whole > set_.order_cap:
                raise OverOrderCap(whose, notional=f"{whole:.2f}", allowed=f"{set_.order_cap:.2f}")
            if set_.day_cap is None:
                continue

            used = await switch_rows.spent(
                connection, self._environment, day, bond, wanted.tenant_id
            )
            if used + notional > set_.day_cap:
                raise OverDayCap(
                    whose,
                    notional=f"{notional:.2f}",
                    used=f"{used:.2f}",
                    allowed=f"{set_.day_cap:.2f}",
                )

    def _asked(self, bonds: Sequence[Bond]) -> Admission:
        sets = [self._server, *(bond.switches for bond in bonds)]
        return Admission(
            limiting=any(each.limiting for each in sets), capped=any(each.capped for each in sets)
        )

    def _sets(self, bonds: Iterable[Bond]) -> Iterable[tuple[Switches, str]]:
        yield self._server, "server"
        for bond in bonds:
            yield bond.switches, bond.whose

    async def _bonds(
        self, connection: AsyncConnection, tenant_id: str, account_number: str
    ) -> Sequence[Bond]:
        bonds = await switch_rows.bonds_of(connection, self._environment, tenant_id, account_number)
        if any(bond.own and bond.switches.read_only for bond in bonds):
            self._viewers.add(tenant_id)
        else:
            self._viewers.discard(tenant_id)

        return bonds

    async def _bind(self, bond: Bond, account_number: str) -> None:
        if bond.bound or not bond.own:
            return

        # Apart from the order's own transaction: an order that is refused binds its account, too.
        async with self._database.write() as connection:
            await switch_rows.bind_accounts(
                connection, self._environment, bond.tenant_id, [account_number]
            )


def _allowed(symbol: str, allowed: frozenset[str]) -> bool:
    """Whether a symbol, or of a future its product (`/ES` for `/ESZ6`), is among the allowed."""
    product = symbol.rstrip("0123456789")[:-1] if symbol.startswith("/") else symbol
    return symbol in allowed or product in allowed
