"""Serves `/market-time`: sessions and holidays of the stock exchange and two futures exchanges."""

from __future__ import annotations

__all__ = ["routes"]

from datetime import date, timedelta

from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import BrokerError, envelope, reply
from server.simulator.market.views.sessions import calendar_json, current_json, session_json
from server.simulator.rest.queries import invalid, read_date, read_many

_COLLECTIONS = ("Equity", "CME", "CFE")
_LONGEST = timedelta(days=275)  # nine months
_YEARS = range(1900, 2200)  # years in which the calendar's rules hold, with a margin


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the routes of market time."""
    hours, listing = broker.market.hours, broker.market.listing

    async def list_sessions(request: web.Request) -> web.Response:
        last = _read_day(request, "to-date")
        if last is None:
            raise invalid("to-date", "is missing")

        first = _read_day(request, "from-date") or listing.today()
        if last - first > _LONGEST:
            raise invalid("to-date", "is more than nine months after from-date")

        collection = _check_collection(request.query.get("instrument-collection", "Equity"))
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        found = [hours.session(collection, each) for each in days]
        items = [session_json(each, dated=True) for each in found if each is not None]
        return reply(envelope({"items": items}, request.path))

    async def list_current(request: web.Request) -> web.Response:
        wanted = read_many(request, "instrument-collections") or list(_COLLECTIONS)
        names = [_check_collection(name) for given in wanted for name in given.split(",")]
        now = broker.clock.now()
        items = [current_json(hours, name, now) for name in dict.fromkeys(names)]
        return reply(envelope({"items": items}, request.path))

    async def list_current_futures(request: web.Request) -> web.Response:
        now = broker.clock.now()
        items = [current_json(hours, name, now) for name in _COLLECTIONS[1:]]
        return reply(envelope({"items": items}, request.path))

    async def get_current(request: web.Request) -> web.Response:
        body = current_json(hours, _find_collection(request), broker.clock.now())
        return reply(envelope(body, request.path))

    async def get_next(request: web.Request) -> web.Response:
        session = hours.next_session(
            _find_collection(request), _read_day(request, "date") or listing.today()
        )
        return reply(envelope(session_json(session, dated=True), request.path))

    async def get_previous(request: web.Request) -> web.Response:
        session = hours.previous_session(
            _find_collection(request), _read_day(request, "date") or listing.today()
        )
        return reply(envelope(session_json(session, dated=True), request.path))

    async def list_holidays(request: web.Request) -> web.Response:
        body = calendar_json(_find_collection(request), listing.today())
        return reply(envelope(body, request.path))

    return [
        web.get("/market-time/sessions", list_sessions),
        web.get("/market-time/sessions/current", list_current),
        web.get("/market-time/equities/sessions/current", get_current),
        web.get("/market-time/equities/sessions/next", get_next),
        web.get("/market-time/equities/sessions/previous", get_previous),
        web.get("/market-time/equities/holidays", list_holidays),
        web.get("/market-time/futures/sessions/current", list_current_futures),
        web.get("/market-time/futures/sessions/current/{collection}", get_current),
        web.get("/market-time/futures/sessions/next/{collection}", get_next),
        web.get("/market-time/futures/sessions/previous/{collection}", get_previous),
        web.get("/market-time/futures/holidays/{collection}", list_holidays),
    ]


def _find_collection(request: web.Request) -> str:
    name = request.match_info.get("collection")
    if name is not None and name not in _COLLECTIONS[1:]:
        raise BrokerError(404, "record_not_found", f"Couldn't find instrument collection {name}")

    return name or "Equity"


def _read_day(request: web.Request, name: str) -> date | None:
    given = read_date(request, name)
    if given is not None and given.year not in _YEARS:
        raise invalid(name, "is out of range")

    return given


def _check_collection(name: str) -> str:
    if name not in _COLLECTIONS:
        raise invalid("instrument-collections", "does not have a valid value")

    return name
