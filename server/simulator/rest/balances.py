"""Serves `/accounts/{n}/balances`, the balance in one currency, and snapshots of past days."""

from __future__ import annotations

__all__ = ["routes"]

from datetime import timedelta
from typing import Any

from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import BrokerError, envelope, paginate, reply
from server.simulator.exchange.account import Account
from server.simulator.exchange.clock import new_york_date
from server.simulator.exchange.valuation_history import ValuationHistory
from server.simulator.exchange.views.balances import balance_json, snapshot_json
from server.simulator.rest import queries
from server.simulator.rest.ownership import get_account

CURRENCY = "USD"


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the routes of balances."""
    handlers = _BalanceHandlers(broker)
    return [
        web.get("/accounts/{account_number}/balances", handlers.list_all),
        web.get("/accounts/{account_number}/balances/{currency}", handlers.get),
        web.get("/accounts/{account_number}/balance-snapshots", handlers.list_snapshots),
    ]


class _BalanceHandlers:
    """Handles the routes of this file."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def list_all(self, request: web.Request) -> web.Response:
        account = get_account(self._broker, request)
        return reply(envelope({"items": [self._make_balance_json(account)]}, request.path))

    async def get(self, request: web.Request) -> web.Response:
        account = get_account(self._broker, request)
        currency = request.match_info["currency"]
        if currency.upper() != CURRENCY:
            raise BrokerError(
                404, "record_not_found", f"Couldn't find balance in currency {currency}"
            )

        return reply(envelope(self._make_balance_json(account), request.path))

    async def list_snapshots(self, request: web.Request) -> web.Response:
        """Lists every day of the range that has ended (EOD) or begun (BOD), newest first."""
        account = get_account(self._broker, request)
        moment = queries.read_choice(request, "time-of-day", ("BOD", "EOD"), "EOD")
        today = new_york_date(self._broker.clock.now())
        latest = today if moment == "BOD" else today - timedelta(days=1)
        single = queries.read_date(request, "snapshot-date")
        first = single or queries.read_date(request, "start-date") or latest - timedelta(days=1)
        # Not before the account was opened: a calendar of two thousand years takes seconds.
        first = max(first, new_york_date(account.profile.opened_at))
        last = min(single or queries.read_date(request, "end-date") or latest, latest)
        history = ValuationHistory(account, self._broker.exchange.venue, self._broker.clock.now())
        days = [last - timedelta(days=back) for back in range(max(0, (last - first).days + 1))]
        trading = [day for day in days if self._broker.exchange.venue.is_trading_day(day)]

        def render(day: Any) -> dict[str, Any]:
            return snapshot_json(
                account.number, history.balances_on(day, moment), day=day, time_of_day=moment
            )

        return reply(paginate(trading, request, render=render))

    def _make_balance_json(self, account: Account) -> dict[str, Any]:
        now = self._broker.clock.now()
        balances = self._broker.exchange.balances(account)
        return balance_json(account.number, balances, at=now, day=new_york_date(now))
