"""Serves `/accounts/{n}/positions`, with marks on request."""

from __future__ import annotations

__all__ = ["routes"]


from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import envelope, reply
from server.simulator.exchange.clock import new_york_date
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.positions import Position
from server.simulator.exchange.views.positions import position_json
from server.simulator.rest import queries
from server.simulator.rest.ownership import get_account


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the route of positions."""

    async def list_positions(request: web.Request) -> web.Response:
        account = get_account(broker, request)
        marks = Marks(broker.exchange.venue)
        today = new_york_date(broker.clock.now())
        with_marks = queries.read_flag(request, "include-marks")
        held = [one for one in account.positions.values() if _matches(one, request)]
        marks.load(position.contract for position in held)
        marks.load_closes(position.contract for position in held)
        items = [
            position_json(account.number, position, marks, today=today, with_marks=with_marks)
            for position in held
        ]
        return reply(envelope({"items": items}, request.path))

    return [web.get("/accounts/{account_number}/positions", list_positions)]


def _matches(position: Position, request: web.Request) -> bool:
    contract = position.contract
    if not position.quantity and not queries.read_flag(request, "include-closed-positions"):
        return False

    underlyings = queries.read_many(request, "underlying-symbol")
    symbol = queries.read_one(request, "symbol")
    kind = queries.read_one(request, "instrument-type")
    product = queries.read_one(request, "underlying-product-code")
    return (
        (not underlyings or contract.underlying in underlyings)
        and (symbol is None or contract.symbol == symbol)
        and (kind is None or contract.instrument_type == kind)
        and (product is None or contract.product == product)
    )
