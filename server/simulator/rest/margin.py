"""Serves margin: the whole report, the rates of one underlying, and the public configuration."""

from __future__ import annotations

__all__ = ["routes"]

from decimal import Decimal
from typing import Any

from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import BrokerError, envelope, reply
from server.simulator.exchange.balances import select_margin_rates
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.money import format_decimal
from server.simulator.exchange.views.margin import report_json
from server.simulator.market.price_series import RATE
from server.simulator.rest.ownership import get_account


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the routes of margin."""

    async def get_report(request: web.Request) -> web.Response:
        account = get_account(broker, request)
        marks = Marks(broker.exchange.venue)
        balances = broker.exchange.balances(account, marks)
        body = report_json(account, balances, marks, at=broker.clock.now())
        return reply(envelope(body, request.path))

    async def get_effective(request: web.Request) -> web.Response:
        account = get_account(broker, request)
        symbol = request.match_info["symbol"]
        if broker.exchange.venue.find(symbol) is None:
            raise BrokerError(404, "record_not_found", f"Couldn't find instrument {symbol}")

        rates = select_margin_rates(account)
        body: dict[str, Any] = {
            "underlying-symbol": symbol,
            "long-equity-initial": format_decimal(rates.long_initial),
            "long-equity-maintenance": format_decimal(rates.long_maintenance),
            "short-equity-initial": format_decimal(rates.short_initial),
            "short-equity-maintenance": format_decimal(rates.short_maintenance),
            "naked-option-standard": format_decimal(rates.naked_standard),
            "naked-option-minimum": format_decimal(rates.naked_minimum),
            "naked-option-floor": format_decimal(rates.naked_floor),
        }
        return reply(envelope(body, request.path))

    async def get_configuration(request: web.Request) -> web.Response:
        # The rate that the market prices options with.
        return reply(envelope({"risk-free-rate": format_decimal(Decimal(str(RATE)))}, request.path))

    return [
        web.get("/margin/accounts/{account_number}/requirements", get_report),
        web.get(
            "/accounts/{account_number}/margin-requirements/{symbol:.+}/effective", get_effective
        ),
        web.get("/margin-requirements-public-configuration", get_configuration),
    ]
