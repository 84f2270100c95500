"""Serves `/customers/{id}/accounts`."""

from __future__ import annotations

__all__ = ["routes"]


from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import envelope, reply
from server.simulator.exchange.views.accounts import account_json
from server.simulator.rest.ownership import get_account, list_own_accounts


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the routes of a customer's accounts."""

    async def list_all(request: web.Request) -> web.Response:
        items = [
            {"account": account_json(account), "authority-level": "owner"}
            for account in list_own_accounts(broker, request)
        ]
        return reply(envelope({"items": items}, request.path))

    async def get(request: web.Request) -> web.Response:
        return reply(envelope(account_json(get_account(broker, request)), request.path))

    return [
        web.get("/customers/{customer_id}/accounts", list_all),
        web.get("/customers/{customer_id}/accounts/{account_number}", get),
    ]
