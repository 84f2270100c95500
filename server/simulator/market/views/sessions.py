"""Renders trading sessions and holidays as the broker does, in UTC."""

from __future__ import annotations

__all__ = ["calendar_json", "current_json", "session_json"]

from datetime import date, datetime
from typing import Any

from server.simulator.market.calendar import (
    NEW_YORK,
    Session,
    TradingHours,
    futures_half_days,
    futures_holidays,
    half_days,
    holidays,
)
from server.simulator.market.views.decimals import format_offset


def session_json(session: Session, *, dated: bool) -> dict[str, Any]:
    """Renders a session; in a list it has a date."""
    body = {
        "close-at": format_offset(session.close),
        "close-at-ext": format_offset(session.close_ext),
        "instrument-collection": session.collection,
        "open-at": format_offset(session.open),
        "start-at": format_offset(session.start),
    }
    return {**body, "session-date": session.day.isoformat()} if dated else body


def current_json(hours: TradingHours, collection: str, now: datetime) -> dict[str, Any]:
    """Renders today's session, its state and its neighbours; a day off has no session."""
    today = now.astimezone(NEW_YORK).date()
    session = hours.current(collection, now) or hours.session(collection, today)
    day = today if session is None else session.day
    body: dict[str, Any] = {"instrument-collection": collection}
    if session is not None:
        body |= session_json(session, dated=False)

    return body | {
        "state": _state(session, now),
        "next-session": session_json(hours.next_session(collection, day), dated=True),
        "previous-session": session_json(hours.previous_session(collection, day), dated=True),
    }


def calendar_json(collection: str, today: date) -> dict[str, list[str]]:
    """Renders the holidays and half days of last year, this year and the next."""
    closed, short = (
        (holidays, half_days) if collection == "Equity" else (futures_holidays, futures_half_days)
    )
    years = range(today.year - 1, today.year + 2)
    return {
        "market-half-days": [day.isoformat() for year in years for day in short(year)],
        "market-holidays": [day.isoformat() for year in years for day in closed(year)],
    }


def _state(session: Session | None, now: datetime) -> str:
    if session is None or now < session.start or now >= session.close_ext:
        return "Closed"

    if now < session.open:
        return "Pre-market"

    return "Open" if now < session.close else "Extended"
