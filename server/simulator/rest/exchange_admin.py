"""Serves `/_admin/exchange`: scripts, fills and transfers by hand, statistics.

It is no part of the broker.
"""

from __future__ import annotations

__all__ = ["routes"]

from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any

from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import BrokerError, reply
from server.simulator.exchange.money import round_cents
from server.simulator.exchange.orders import Order
from server.simulator.exchange.tickets import parse_script
from server.simulator.exchange.views.orders import order_json
from server.simulator.exchange.views.transactions import transaction_json
from server.simulator.exchange.vocabulary import InstrumentType
from server.simulator.rest.bodies import read_json

LARGEST = Decimal(10) ** 12


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the routes by which a test or a person controls the exchange."""

    async def add_scripts(request: web.Request) -> web.Response:
        """Queues scripts for the next orders.

        The body is `{"behavior", "delay", "schedule", "reject-reason", "account": "*", "count":
        1}`.
        """
        body = await _read_object(request)
        count = body.get("count", 1)
        if not isinstance(count, int) or not 1 <= count <= 10_000:
            raise BrokerError(400, "invalid_script", "count is 1 to 10000.")

        broker.exchange.script(str(body.get("account", "*")), parse_script(body), count)
        return reply({"scripts": broker.exchange.statistics().scripts}, 201)

    async def fill_order(request: web.Request) -> web.Response:
        """Fills `{"order_id", "units": default all, "price": default the order's own}`."""
        body = await _read_object(request)
        number = body.get("order_id")
        order = broker.exchange.registry.orders.get(number) if isinstance(number, int) else None
        if order is None:
            raise BrokerError(404, "record_not_found", "There is no such order.")

        units = _read_positive(body, "units")
        if units is not None and units != int(units) and not _is_fractional(order):
            raise BrokerError(400, "invalid_body", "units are whole.")

        filled = broker.exchange.fill(order, units=units, price=_read_positive(body, "price"))
        if not filled:
            raise BrokerError(409, "not_at_the_exchange", f"The order is {order.status.value}.")

        return reply(order_json(order), 201)

    async def transfer_money(request: web.Request) -> web.Response:
        """Transfers `{"account", "amount"}`, negative to withdraw.

        The owner of the account must have logged in.
        """
        body = await _read_object(request)
        account = broker.exchange.registry.accounts.get(str(body.get("account")))
        if account is None:
            raise BrokerError(404, "record_not_found", "Nobody has that account open.")

        amount = _read_decimal(body, "amount")
        if amount is None or not amount or amount != round_cents(amount):
            raise BrokerError(400, "invalid_body", "amount is in cents and not zero.")

        return reply(transaction_json(broker.exchange.transfer(account, amount)), 201)

    async def get_statistics(_: web.Request) -> web.Response:
        return reply(asdict(broker.exchange.statistics()))

    return [
        web.post("/_admin/exchange/scripts", add_scripts),
        web.post("/_admin/exchange/fills", fill_order),
        web.post("/_admin/exchange/transfers", transfer_money),
        web.get("/_admin/exchange/statistics", get_statistics),
    ]


def _is_fractional(order: Order) -> bool:
    return order.underlying.instrument_type is InstrumentType.CRYPTOCURRENCY


async def _read_object(request: web.Request) -> dict[str, Any]:
    body = await read_json(request)
    if not isinstance(body, dict):
        raise BrokerError(400, "invalid_body", "A JSON object is needed.")

    return body


def _read_decimal(body: dict[str, Any], name: str) -> Decimal | None:
    if body.get(name) is None:
        return None

    try:
        amount = Decimal(str(body[name]))
    except InvalidOperation:
        raise BrokerError(400, "invalid_body", f"{name} is no number.") from None

    if not amount.is_finite() or abs(amount) > LARGEST:
        raise BrokerError(400, "invalid_body", f"{name} is out of range.")

    return amount


def _read_positive(body: dict[str, Any], name: str) -> Decimal | None:
    amount = _read_decimal(body, name)
    if amount is not None and amount <= 0:
        raise BrokerError(400, "invalid_body", f"{name} must be positive.")

    return amount
