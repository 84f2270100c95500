"""Prints what callers are told of orders under faults: `python -m tests.order_receipts`.

Run it before and after a change of `server/orders` and compare the two texts: they must be equal.
`--crashes` adds a server that is killed at each step. Numbers, names and moments are masked, and so
is how far a working order has come, since that depends on the machine.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
import structlog

from server.orders.submitting.journal import State
from server.simulator import Simulator, SimulatorSettings
from tests.broker import DEMO_ACCOUNT
from tests.chaos.test_order_crashes import STEPS_OF_AN_ORDER, crashed, running
from tests.fast_clock import FastClock
from tests.gateway import open_gateway
from tests.meddler import Meddler, Mischief
from tests.ordering import NEVER, Trader, leg, open_trader
from tests.service.order_cases.combinations import part

BUY = ("KO", "Buy to Open", 1)
FAR = "-1.00"
CROWD = 5
SETTLE_S = 0.2
"""Pause before a repeat: by then the exchange has ended what it was asked to cancel."""
NOTHING = "99999999"
"""The number of no order."""

FAULTS: Sequence[Mischief] = (
    Mischief(),
    Mischief(cut="reset"),
    Mischief(cut="body"),
    Mischief(status=502),
    Mischief(status=504),
    Mischief(status=200),
    Mischief(status=429),
    Mischief(status=403),
    Mischief(delay_s=1.5),
    Mischief(cut="reset", hide_s=4.0),
    Mischief(done=False, cut="reset"),
    Mischief(done=False, status=503),
    *(
        Mischief(done=False, status=status, code=code)
        for status, code in (
            (400, "invalid_request"),
            (401, "token_invalid"),
            (403, "not_permitted"),
            (404, "record_not_found"),
            (409, "conflict"),
            (422, "cannot_update_order"),
            (429, "rate_limited"),
            (500, "internal_error"),
        )
    ),
)

MASKS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}"), "UUID"),
    (re.compile(r"\b(?:row|name)-[\w-]+"), "NAME"),
    (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "DAY"),
    (re.compile(r"\b\d{4,}\b"), "#"),
    (re.compile(r"\b(?:Received|Routed|In Flight|Live|Contingent)\b"), "working"),
    (re.compile(r"\b(?:Cancel Requested|Cancelled)\b"), "ending"),
)

Ask = Callable[[], Awaitable[Any]]


def masked(words: str) -> str:
    for pattern, mask in MASKS:
        words = pattern.sub(mask, words)

    return words


async def told(call: Awaitable[Any]) -> str:
    """Returns what a caller is told, on one line."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return masked(f"{error.code().name}: {error.details()}")

    fields = [
        f"{field.name}={_text(value)}"
        for field, value in answer.ListFields()
        if field.name not in ("pricing", "fee_calculation", "buying_power_effect")
    ]
    return masked(" ".join(fields))


def _text(value: Any) -> str:
    if hasattr(value, "ListFields"):
        return "{" + f"{getattr(value, 'status', '') or getattr(value, 'type', '')}" + "}"
    if isinstance(value, (str, bool)):
        return str(value)

    return f"[{len(value)}]" if hasattr(value, "__len__") else str(value)


async def row(
    trader: Trader, meddler: Meddler, verb: str, fault: Mischief, ask: Ask, name: str
) -> str:
    """Asks three times, of which the first meets the fault."""
    meddler.changes.clear()
    meddler.mischief.append(fault)
    answers = [await told(ask())]
    state = await settled(trader, name) if name else ""
    for _ in range(2):
        await asyncio.sleep(SETTLE_S)
        answers.append(await told(ask()))

    meddler.mischief.clear()
    sent = dict(sorted(meddler.changes.items()))
    heading = f"{verb} {shown(fault)}: sent {sent}, row {state or '-'}"
    if name:
        answers.append(f"at the broker: {len(trader.named(name))}")

    return listed(heading, answers)


def shown(fault: Mischief) -> str:
    """Returns what a fault does, without what it leaves as it is."""
    usual = asdict(Mischief())
    return str(
        {key: value for key, value in asdict(fault).items() if value != usual[key]} or "no fault"
    )


def listed(heading: str, answers: Iterable[str]) -> str:
    return "\n".join([heading, *(f"    {answer}" for answer in answers)])


async def settled(trader: Trader, name: str) -> str:
    """Returns the state of a name once no reading changes it any more."""
    for _ in range(150):
        entry = await trader.gateway.app.orders.journal.find(trader.account, name)
        if entry is None:
            return "none"
        if entry.state not in (State.SENDING, State.UNKNOWN):
            return str(entry.state.value)

        await asyncio.sleep(0.02)

    return "open"


async def working(trader: Trader) -> str:
    trader.script(NEVER)
    placed = await trader.place(leg(*BUY), price=FAR)
    await trader.until(placed.id, "Live")
    return str(placed.id)


async def complex_working(trader: Trader) -> str:
    trader.script(NEVER, 2)
    placed = await trader.combine(
        "OTO",
        part(leg("KO", "Sell to Close", 1), "5000.00"),
        trigger=part(leg(*BUY), FAR),
    )
    return str(placed.id)


async def placed(trader: Trader, meddler: Meddler) -> AsyncIterator[str]:
    for number, fault in enumerate(FAULTS):
        name = f"name-place-{number}"
        trader.script(NEVER)
        yield await row(
            trader,
            meddler,
            "place",
            fault,
            partial(trader.place, leg(*BUY), price=FAR, client_order_id=name),
            name,
        )


async def replaced(trader: Trader, meddler: Meddler) -> AsyncIterator[str]:
    for number, fault in enumerate(FAULTS):
        name, old = f"name-replace-{number}", await working(trader)
        trader.script(NEVER)
        yield await row(
            trader,
            meddler,
            "replace",
            fault,
            partial(trader.replace, old, price="-1.50", client_order_id=name),
            name,
        )


async def placed_complex(trader: Trader, meddler: Meddler) -> AsyncIterator[str]:
    for number, fault in enumerate(FAULTS):
        name = f"name-complex-{number}"
        trader.script(NEVER, 2)
        yield await row(
            trader,
            meddler,
            "complex",
            fault,
            partial(
                trader.combine,
                "OTO",
                part(leg("KO", "Sell to Close", 1), "5000.00"),
                trigger=part(leg(*BUY), FAR),
                client_order_id=name,
            ),
            name,
        )


async def cancelled(trader: Trader, meddler: Meddler) -> AsyncIterator[str]:
    for fault in FAULTS:
        old = await working(trader)
        ask = partial(trader.cancel, old)
        yield await row(trader, meddler, "cancel", fault, ask, "")


async def cancelled_complex(trader: Trader, meddler: Meddler) -> AsyncIterator[str]:
    for fault in FAULTS:
        old = await complex_working(trader)
        ask = partial(trader.cancel_combined, old)
        yield await row(trader, meddler, "cancel_complex", fault, ask, "")


async def races(trader: Trader, meddler: Meddler) -> AsyncIterator[str]:
    """Cancels that meet a fill or another cancel, with and without a lost answer."""
    for fault in (Mischief(), Mischief(cut="reset"), Mischief(done=False, cut="reset")):
        old = await working(trader)
        trader.fill(old)
        ask = partial(trader.cancel, old)
        yield await row(trader, meddler, "cancel of a filled order", fault, ask, "")
        old = await working(trader)
        await trader.cancel(old)
        await trader.until(old, "Cancelled")
        yield await row(trader, meddler, "cancel again", fault, partial(trader.cancel, old), "")
        old = await working(trader)
        trader.fill(old)
        yield await row(
            trader,
            meddler,
            "replace of a filled order",
            fault,
            partial(trader.replace, old, price="-1.60"),
            "",
        )

    yield await row(
        trader, meddler, "cancel of nothing", Mischief(), partial(trader.cancel, NOTHING), ""
    )
    yield await row(
        trader, meddler, "cancel of a word", Mischief(), partial(trader.cancel, "x"), ""
    )
    for number in (NOTHING, "x"):
        yield await row(
            trader,
            meddler,
            "cancel_complex of nothing",
            Mischief(),
            partial(trader.cancel_combined, number),
            "",
        )


async def duplicates(trader: Trader, meddler: Meddler) -> AsyncIterator[str]:
    """Several callers with one name at the same time."""
    for fault in (Mischief(), Mischief(cut="reset"), Mischief(done=False, status=401, code="x")):
        for kinds in (1, 2):
            name = f"name-crowd-{kinds}-{FAULTS.index(fault) if fault in FAULTS else 'x'}"
            meddler.changes.clear()
            meddler.mischief.append(fault)
            trader.script(NEVER)
            calls = [
                told(
                    trader.place(
                        leg("KO", "Buy to Open", 1 + n % kinds), price=FAR, client_order_id=name
                    )
                )
                for n in range(CROWD)
            ]
            answers = sorted(set(await asyncio.gather(*calls)))
            meddler.mischief.clear()
            state = await settled(trader, name)
            at_broker = f"{len(trader.named(name))} at the broker, row {state}"
            yield listed(
                f"{CROWD} callers, {kinds} orders, one name, {shown(fault)}: {at_broker}", answers
            )

    old = await working(trader)
    meddler.changes.clear()
    yield "a name of another verb\n    " + await told(
        trader.replace(old, price="-1.70", client_order_id="name-place-0")
    )
    await meddler.leave()
    calls = [
        told(trader.place(leg(*BUY), price=FAR, client_order_id="name-unsent"))
        for _ in range(CROWD)
    ]
    answers = sorted(set(await asyncio.gather(*calls)))
    cancelled = await told(trader.cancel(old))
    await meddler.listen()
    state = await settled(trader, "name-unsent")
    then = await told(trader.place(leg(*BUY), price=FAR, client_order_id="name-unsent"))
    heading = f"{CROWD} callers and a cancel without a connection, then with one: row {state}"
    yield listed(heading, [*answers, cancelled, then])


async def crashes(sim: Simulator, folder: Path) -> AsyncIterator[str]:
    """A server that is killed at each step of an order; the next one is asked what became of it."""
    for step in STEPS_OF_AN_ORDER:
        async with running(sim, folder, step) as server:
            await crashed(server, f"name-{step}")

        async with running(sim, folder, "-") as server:
            answers = [await told(server.place(f"name-{step}")) for _ in range(2)]

        orders = sim.exchange.registry.orders_of(DEMO_ACCOUNT)
        there = [each for each in orders if each.ticket.external_identifier == f"name-{step}"]
        yield listed(f"killed at {step}: {len(there)} at the broker", answers)


PARTS = (placed, replaced, placed_complex, cancelled, cancelled_complex, races, duplicates)
"""Each has a server of its own: in half a minute the fast clock is too far from the broker's."""


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Trader, Meddler]]:
    async with (
        Simulator(SimulatorSettings(port=0)) as sim,
        Meddler(sim.url) as meddler,
        open_gateway(
            sim, folder, FastClock(20), simulator_url=meddler.url, broker_timeout_s=0.7
        ) as gateway,
    ):
        yield await open_trader(gateway, "receipts"), meddler


async def main(*, with_crashes: bool) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    for part_ in PARTS:
        with TemporaryDirectory() as folder:
            async with opened(Path(folder)) as (trader, meddler):
                if part_ is duplicates:
                    trader.script(NEVER)
                    await trader.place(leg(*BUY), price=FAR, client_order_id="name-place-0")

                async for line in part_(trader, meddler):
                    print(line, flush=True)

    if with_crashes:
        with TemporaryDirectory() as folder:
            async with Simulator(SimulatorSettings(port=0)) as sim:
                async for line in crashes(sim, Path(folder)):
                    print(line, flush=True)


if __name__ == "__main__":
    asyncio.run(main(with_crashes="--crashes" in sys.argv))
