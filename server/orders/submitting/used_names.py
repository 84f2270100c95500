"""Reads the client_order_ids that an account used before this database knew the account.

A client_order_id protects from a second order only as long as it is remembered. A database may be
lost, and the broker does not refuse an external identifier that it has seen: so before the first
order with a name, the account's history is read once, and its identifiers are written down as used.
"""

from __future__ import annotations

__all__ = ["MOST_ORDERS", "UsedNames"]

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any, Self

import structlog

from server.brokerage.api.json_reader import JsonReader, ParseFaults
from server.brokerage.api.order_api import OrderApi
from server.clock import Clock, new_york_today
from server.errors import (
    ClientOrderIdRetired,
    ClientOrderIdTaken,
    ComplexOrderNotFound,
    GatewayError,
    NamesNotRestored,
    OrderNotFound,
    StoreUnavailable,
)
from server.orders.model.drafts import Draft, digest_of
from server.orders.model.names import NAME
from server.orders.submitting import restored_rows
from server.orders.submitting.journal import Entry
from server.orders.submitting.restored_rows import Restored
from server.orders.submitting.same_order import can_be
from server.settings import Settings
from server.store import Database

log = structlog.get_logger(__name__)

MOST_ORDERS = 50_000
"""Orders that are read of one account, the newest first: a warning names more as not covered."""

Raw = Mapping[str, Any]


class UsedNames:
    """Restores accounts, each once; an async context manager that owns the reading.

    Many callers at once share one reading, which goes on when they are gone.
    """

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._environment = settings.broker
        self._days = settings.order_keys_days
        self._database = database
        self._clock = clock
        self._known: set[str] = set()
        self._readings: dict[str, asyncio.Task[Exception | None]] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._tasks = await stack.enter_async_context(asyncio.TaskGroup())
            stack.callback(self._stop)
            self._stack = stack.pop_all()

        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
        self._tasks = None

    async def ready(
        self, account_number: str, tenant_id: str, api: OrderApi, patience: timedelta
    ) -> None:
        """Returns once the names that the account has used are in the order journal.

        Raises NamesNotRestored where the history cannot be read, or not within the patience;
        StoreUnavailable. Nothing may be sent under a name then.
        """
        if account_number in self._known:
            return

        reading = self._readings.get(account_number)
        if reading is None:
            if self._tasks is None:
                raise NamesNotRestored("the server is stopping")

            work = self._restore(account_number, tenant_id, api)
            reading = self._tasks.create_task(work, name="used names")
            self._readings[account_number] = reading
            reading.add_done_callback(partial(self._read, account_number))

        await asyncio.wait([reading], timeout=max(0.0, patience.total_seconds()))
        if not reading.done() or reading.cancelled():
            raise NamesNotRestored("it takes a moment")

        failure = reading.result()
        if failure is not None:
            raise failure.with_traceback(None)

    async def adopt(self, entry: Entry, draft: Draft, api: OrderApi) -> None:
        """Binds a restored name to the request that now comes under it, with its order as answer.

        Raises ClientOrderIdTaken where the order is another one, ClientOrderIdRetired where the
        broker does not show it any more, NamesNotRestored where it cannot be read.
        """
        number = entry.order_id or ""
        whole = entry.kind == "complex"
        try:
            raw = await (api.raw_complex_order(number) if whole else api.raw_order(number))
        except (OrderNotFound, ComplexOrderNotFound) as gone:
            raise ClientOrderIdRetired(entry.client_order_id, entry.day.isoformat()) from gone
        except GatewayError as failure:
            raise NamesNotRestored(str(failure)) from failure

        if not can_be(draft, raw):
            raise ClientOrderIdTaken(entry.client_order_id)

        price = JsonReader(raw, ParseFaults()).signed("price")
        async with self._database.write() as connection:
            await restored_rows.adopt(
                connection,
                entry,
                digest_of(draft),
                {"spec": {"price": None if price is None else f"{price:f}"}},
                {"complex-order" if whole else "order": raw},
            )

    def _read(self, account_number: str, reading: asyncio.Task[Exception | None]) -> None:
        if self._readings.get(account_number) is reading:
            del self._readings[account_number]

    def _stop(self) -> None:
        for reading in self._readings.values():
            reading.cancel()

    async def _restore(
        self, account_number: str, tenant_id: str, api: OrderApi
    ) -> Exception | None:
        """Returns why it failed: a task of a group must not raise what is its callers' business."""
        try:
            if not await self._is_restored(account_number):
                names = await self._names(api)
                self._log_restored(await self._write(account_number, tenant_id, names))
        except StoreUnavailable as failure:
            return failure
        except GatewayError as failure:
            log.warning("used names not restored", reason=failure.reason)
            return NamesNotRestored(str(failure))
        except Exception:
            log.exception("used names not restored")
            return NamesNotRestored("an error of this server, which is in its log")

        self._known.add(account_number)
        return None

    async def _is_restored(self, account_number: str) -> bool:
        async with self._database.read() as connection:
            at = await restored_rows.restored_at(connection, self._environment, account_number)

        # A copy that was put back knows nothing of the orders after it was made.
        complete_since = self._database.identity.complete_since
        return at is not None and (complete_since is None or at >= complete_since)

    async def _write(
        self, account_number: str, tenant_id: str, names: Mapping[str, Restored]
    ) -> int:
        async with self._database.write() as connection:
            return await restored_rows.restore(
                connection,
                self._environment,
                account_number,
                tenant_id,
                names.values(),
                self._clock.now(),
            )

    async def _names(self, api: OrderApi) -> Mapping[str, Restored]:
        since = new_york_today(self._clock) - timedelta(days=self._days)
        found: dict[str, Restored] = {}
        count = 0
        async for orders in api.raw_history(since):
            for raw in orders:
                one = self._of(raw)
                if one is not None:
                    # Newest first: of several with one name, which its maker took over from each
                    # other, the first one stays.
                    found[one.client_order_id] = one

            count += len(orders)
            if count >= MOST_ORDERS:
                log.warning("used names: the oldest orders were not read", read=count)
                break

        return found

    def _log_restored(self, restored: int) -> None:
        if restored:  # else the account is new to everybody, and nothing was lost
            log.warning(
                "used names restored from the broker's history",
                names=restored,
                days=self._days,
                not_covered="older orders, and names whose order the broker never took",
            )

    def _of(self, raw: Raw) -> Restored | None:
        name = raw.get("external-identifier")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            return None

        received = JsonReader(raw, ParseFaults()).moment("received-at") or self._clock.now()
        replaced, whole = raw.get("replaces-order-id"), raw.get("complex-order-id")
        kind = "replace" if replaced else "complex" if whole else "place"
        return Restored(
            client_order_id=name,
            kind=kind,
            order_id=str(whole if kind == "complex" else raw.get("id")),
            target_id=str(replaced) if replaced else None,
            received_at=received,
        )
