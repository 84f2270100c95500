"""What positions bind: the whole report, one underlying's rates, and the public configuration."""

from __future__ import annotations

__all__ = ["routes"]

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from aiohttp import web

from server.simulator.envelope import BrokerError, envelope, reply
from server.simulator.exchange.balances import rules_of
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.money import text
from server.simulator.exchange.views.margin import report_json
from server.simulator.market.price_series import RATE
from server.simulator.rest.ownership import account_of

if TYPE_CHECKING:
    from server.simulator.app import Simulator


def routes(sim: Simulator) -> list[web.RouteDef]:
    """Returns the routes of margin."""

    async def report(request: web.Request) -> web.Response:
        account = account_of(sim, request)
        marks = Marks(sim.exchange.venue)
        balances = sim.exchange.balances(account, marks)
        body = report_json(account, balances, marks, at=sim.clock.now())
        return reply(envelope(body, request.path))

    async def effective(request: web.Request) -> web.Response:
        account = account_of(sim, request)
        symbol = request.match_info["symbol"]
        if sim.exchange.venue.find(symbol) is None:
            raise BrokerError(404, "record_not_found", f"Couldn't find instrument {symbol}")

        rules = rules_of(account)
        body: dict[str, Any] = {
            "underlying-symbol": symbol,
            "long-equity-initial": text(rules.long_initial),
            "long-equity-maintenance": text(rules.long_maintenance),
            "short-equity-initial": text(rules.short_initial),
            "short-equity-maintenance": text(rules.short_maintenance),
            "naked-option-standard": text(rules.naked_standard),
            "naked-option-minimum": text(rules.naked_minimum),
            "naked-option-floor": text(rules.naked_floor),
        }
        return reply(envelope(body, request.path))

    async def configuration(request: web.Request) -> web.Response:
        # The rate that the market's options are priced with.
        return reply(envelope({"risk-free-rate": text(Decimal(str(RATE)))}, request.path))

    return [
        web.get("/margin/accounts/{account_number}/requirements", report),
        web.get("/accounts/{account_number}/margin-requirements/{symbol:.+}/effective", effective),
        web.get("/margin-requirements-public-configuration", configuration),
    ]
