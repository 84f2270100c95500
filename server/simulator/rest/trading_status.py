"""Serves `/trading-status` and `/position-limit`: what an account may trade, and how much."""

from __future__ import annotations

__all__ = ["routes"]


from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import envelope, reply
from server.simulator.exchange.preflight_checks import SIZE_LIMITS
from server.simulator.exchange.views.accounts import position_limit_json, trading_status_json
from server.simulator.rest.ownership import get_account


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the routes of an account's permissions."""

    async def get_status(request: web.Request) -> web.Response:
        account = get_account(broker, request)
        return reply(envelope(trading_status_json(account), request.path))

    async def get_limit(request: web.Request) -> web.Response:
        account = get_account(broker, request)
        return reply(envelope(position_limit_json(account, SIZE_LIMITS), request.path))

    return [
        web.get("/accounts/{account_number}/trading-status", get_status),
        web.get("/accounts/{account_number}/position-limit", get_limit),
    ]
