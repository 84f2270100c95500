"""Parses order tickets from request bodies; whether an order is allowed is checked later.

A body that cannot be parsed is 400 `validation_error` with a `domain` (the field) and a `reason`,
which the SDK expects beside `code` and `message`. Unknown fields are ignored, as the broker ignores
them.
"""

from __future__ import annotations

__all__ = ["amend_ticket", "parse_script", "parse_ticket"]

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from server.simulator.envelope import BrokerError
from server.simulator.exchange.orders import DEFAULT_SCRIPT, Script, Ticket, TicketLeg
from server.simulator.exchange.vocabulary import (
    Action,
    Effect,
    InstrumentType,
    OrderType,
    TimeInForce,
)

_Term = TypeVar("_Term", bound=StrEnum)
_LARGEST = Decimal(10) ** 12
_PLACES = 8
_LAST_YEAR = 2199  # the calendar does not reach beyond this year
BEHAVIOURS = ("immediate", "never", "reject", "partial", "delayed", "scheduled")


def parse_ticket(body: Any) -> Ticket:
    """Parses the order in a request body."""
    if not isinstance(body, dict):
        raise _invalid("body", "must be a JSON object")

    legs = body.get("legs")
    if not isinstance(legs, list) or not legs:
        raise _invalid("legs", "is missing")

    if body.get("rules"):
        # Ignoring a condition would route an order that has to wait.
        raise _invalid("rules", "are not supported by the simulator")

    return Ticket(
        type=_read_enum(OrderType, body, "order-type"),
        time_in_force=_read_enum(TimeInForce, body, "time-in-force"),
        legs=tuple(_parse_leg(leg, index) for index, leg in enumerate(legs)),
        price=_read_signed(body, "price"),
        stop_trigger=_read_positive(body, "stop-trigger"),
        value=_read_signed(body, "value"),
        gtc_date=_read_date(body, "gtc-date"),
        strict=_read_strict(body),
        source=_read_text(body, "source"),
        external_identifier=_read_text(body, "external-identifier"),
        preflight_id=_read_text(body, "preflight-id"),
        partition_key=_read_text(body, "partition-key"),
        script=parse_script(body),
    )


def amend_ticket(ticket: Ticket, body: Any) -> Ticket:
    """Returns a ticket with the changes of a replace request; legs and sizes stay."""
    if not isinstance(body, dict):
        raise _invalid("body", "must be a JSON object")

    kind = _read_enum(OrderType, body, "order-type") if "order-type" in body else ticket.type
    force = (
        _read_enum(TimeInForce, body, "time-in-force")
        if "time-in-force" in body
        else ticket.time_in_force
    )
    price = _read_signed(body, "price") if "price" in body else ticket.price
    trigger = (
        _read_positive(body, "stop-trigger") if "stop-trigger" in body else ticket.stop_trigger
    )
    return replace(
        ticket,
        type=kind,
        time_in_force=force,
        price=price if kind.has_price or "price" in body else None,
        stop_trigger=trigger if kind.has_trigger or "stop-trigger" in body else None,
        gtc_date=_read_date(body, "gtc-date") if "gtc-date" in body else ticket.gtc_date,
        strict=_read_strict(body) if "advanced-instructions" in body else ticket.strict,
        source=_read_text(body, "source") or ticket.source,
        external_identifier=_read_text(body, "external-identifier") or ticket.external_identifier,
        script=parse_script(body),
    )


def parse_script(body: Mapping[str, Any]) -> Script:
    """Parses `behavior`, `delay` (seconds, or an ISO duration) and `schedule`."""
    behaviour = body.get("behavior", "immediate")
    if behaviour not in BEHAVIOURS:
        raise _invalid("behavior", f"must be one of {', '.join(BEHAVIOURS)}")

    schedule = body.get("schedule")
    delay = _parse_delay(body.get("delay"))
    return replace(
        DEFAULT_SCRIPT,
        behaviour=behaviour,
        delay=DEFAULT_SCRIPT.delay if delay is None else delay,
        schedule=None if schedule is None else _parse_instant("schedule", schedule),
        reason=str(body.get("reject-reason") or DEFAULT_SCRIPT.reason),
    )


def _parse_leg(leg: Any, index: int) -> TicketLeg:
    place = f"legs[{index}]"
    if not isinstance(leg, dict):
        raise _invalid(place, "must be an object")

    symbol = leg.get("symbol")
    if not isinstance(symbol, str) or not symbol or len(symbol) > 64:
        raise _invalid(f"{place}[symbol]", "is missing")

    quantity = leg.get("quantity")
    return TicketLeg(
        symbol=symbol,
        instrument_type=_read_enum(InstrumentType, leg, "instrument-type", place).value,
        action=_read_enum(Action, leg, "action", place),
        quantity=None if quantity is None else _parse_decimal(f"{place}[quantity]", quantity),
    )


def _read_enum(words: type[_Term], body: Mapping[str, Any], name: str, place: str = "") -> _Term:
    domain = f"{place}[{name}]" if place else name
    given = body.get(name)
    if given is None:
        raise _invalid(domain, "is missing")

    try:
        return words(given)
    except ValueError:
        raise _invalid(domain, "does not have a valid value") from None


def _read_signed(body: Mapping[str, Any], name: str) -> Decimal | None:
    if body.get(name) is None:
        return None

    amount = _parse_decimal(name, body[name])
    if amount < 0:
        raise _invalid(name, "must not be negative; its sign is the effect")

    given = body.get(f"{name}-effect")
    if given is None or given == Effect.NONE:
        if amount:
            raise _invalid(f"{name}-effect", "is missing")

        return amount

    return amount if _read_enum(Effect, body, f"{name}-effect") is Effect.CREDIT else -amount


def _read_positive(body: Mapping[str, Any], name: str) -> Decimal | None:
    if body.get(name) is None:
        return None

    amount = _parse_decimal(name, body[name])
    if amount <= 0:
        raise _invalid(name, "must be positive")

    return amount


def _parse_decimal(domain: str, given: Any) -> Decimal:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise _invalid(domain, "is not a number")

    try:
        amount = Decimal(str(given))
    except InvalidOperation:
        raise _invalid(domain, "is not a number") from None

    exponent = amount.as_tuple().exponent
    if not amount.is_finite() or abs(amount) > _LARGEST:
        raise _invalid(domain, "is out of range")

    if isinstance(exponent, int) and -exponent > _PLACES and amount != round(amount, _PLACES):
        raise _invalid(domain, "has too many decimal places")

    return amount


def _read_date(body: Mapping[str, Any], name: str) -> date | None:
    given = body.get(name)
    if given is None:
        return None

    try:
        day = date.fromisoformat(given)
    except (TypeError, ValueError):
        raise _invalid(name, "is not a date") from None

    if day.year > _LAST_YEAR:
        raise _invalid(name, "is out of range")

    return day


def _parse_instant(domain: str, given: Any) -> datetime:
    try:
        at = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        raise _invalid(domain, "is not a time") from None

    if at.tzinfo is None:
        raise _invalid(domain, "has no offset")

    return at


def _parse_delay(given: Any) -> timedelta | None:
    if given is None:
        return None

    text = str(given)
    # pydantic writes durations as PT1.5S.
    text = text.removeprefix("PT").removesuffix("S") if text.startswith("PT") else text
    amount = _parse_decimal("delay", text)
    if amount < 0 or amount > 86_400:
        raise _invalid("delay", "must be 0 to 86400 seconds")

    return timedelta(seconds=float(amount))


def _read_strict(body: Mapping[str, Any]) -> bool:
    given = body.get("advanced-instructions")
    if given is None:
        return False

    if not isinstance(given, dict):
        raise _invalid("advanced-instructions", "must be an object")

    return given.get("strict-position-effect-validation") is True


def _read_text(body: Mapping[str, Any], name: str) -> str | None:
    given = body.get(name)
    return None if given is None else str(given)


def _invalid(domain: str, reason: str) -> BrokerError:
    return BrokerError(
        400, "validation_error", "Request validation failed", [{"domain": domain, "reason": reason}]
    )
