"""Serves `/accounts/{n}/net-liq/history`: what the account was worth.

The broker's page documents camelCase keys and bare numbers; the SDK reads dashed keys only. Which
of the two the broker serves is not known, so it is a setting, by default what the SDK reads.
"""

from __future__ import annotations

__all__ = ["routes"]

from datetime import timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import envelope, reply
from server.simulator.exchange.money import ZERO, format_decimal
from server.simulator.exchange.valuation_history import Bar, ValuationHistory
from server.simulator.exchange.views.times import format_zulu
from server.simulator.rest import queries
from server.simulator.rest.ownership import get_account

SPANS = {
    "1d": (timedelta(days=1), timedelta(minutes=5)),
    "1w": (timedelta(days=7), timedelta(minutes=30)),
    "1m": (timedelta(days=30), timedelta(hours=2)),
    "3m": (timedelta(days=91), timedelta(hours=12)),
    "6m": (timedelta(days=182), timedelta(days=1)),
    "1y": (timedelta(days=365), timedelta(days=1)),
    "all": (timedelta(days=3650), timedelta(days=1)),
}
"""How far back to go, and the length of a bar."""


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the route of the net liquidating value's history."""

    async def list_history(request: web.Request) -> web.Response:
        account = get_account(broker, request)
        now = broker.clock.now()
        start = queries.read_instant(request, "start-time")
        if start is None and queries.read_one(request, "time-back") is None:
            raise queries.invalid("time-back", "is missing, as is start-time")

        span, step = SPANS[queries.read_choice(request, "time-back", SPANS, "1y")]
        if start is not None:
            span = max(timedelta(), now - start)
            step = next(
                step for length, step in SPANS.values() if span <= length or length.days > 999
            )

        bars = ValuationHistory(account, broker.exchange.venue, now).bars(now - span, step)
        end = queries.read_instant(request, "end-time") or now
        camel_case = broker.exchange.settings.camel_case_net_liq
        shape = _make_camel_case_json if camel_case else _make_dashed_json
        items = [shape(bar) for bar in bars if bar.at <= end]
        return reply(envelope({"items": items}, request.path))

    return [web.get("/accounts/{account_number}/net-liq/history", list_history)]


def _make_dashed_json(bar: Bar) -> dict[str, Any]:
    shown: dict[str, Any] = {"time": format_zulu(bar.at)}
    for name, value in _list_prices(bar):
        shown[name] = format_decimal(value)
        shown[f"pending-cash-{name}"] = format_decimal(ZERO)
        shown[f"total-{name}"] = format_decimal(value)

    return shown


def _make_camel_case_json(bar: Bar) -> dict[str, Any]:
    shown: dict[str, Any] = {"time": format_zulu(bar.at)}
    for name, value in _list_prices(bar):
        shown[name] = float(value)
        shown[f"pendingCash{name.capitalize()}"] = 0.0
        shown[f"total{name.capitalize()}"] = float(value)

    return shown


def _list_prices(bar: Bar) -> list[tuple[str, Decimal]]:
    return [("open", bar.open), ("high", bar.high), ("low", bar.low), ("close", bar.close)]
