"""Nothing gets lost between a domain value and its message: every field is filled by something."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from types import UnionType
from typing import Any

import pytest
from google.protobuf.message import Message

from server.brokerage.api.balances import Balances
from server.brokerage.api.history import NetLiquidatingValue
from server.brokerage.api.hours import ExchangeHours
from server.brokerage.api.metrics import MarketMetrics
from server.brokerage.api.orders import Order
from server.brokerage.api.positions import Position
from server.brokerage.api.search import SymbolMatch
from server.brokerage.api.transactions import Transaction
from server.brokerage.api.watchlists import Watchlist
from server.portfolio.valuation import GreekValues, Price, value
from server.wire.balance import balances_response, balances_to
from server.wire.market_metrics import market_metrics_to
from server.wire.market_session import market_session_to
from server.wire.net_liquidating_value import net_liquidating_value_to
from server.wire.order import order_to
from server.wire.position import missing_of, position_to
from server.wire.symbol import symbol_match_to
from server.wire.transaction import transaction_to
from server.wire.watchlist import watchlist_to

NUMBERS = count(1)


def filled(kind: Any) -> Any:
    """Returns a value of a type with something distinct in every field."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, UnionType):
        return filled(next(each for each in args if each is not type(None)))

    if origin is tuple:
        return (filled(args[0]),)

    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{each.name: filled(hints[each.name]) for each in dataclasses.fields(kind)})

    number = next(NUMBERS)
    made: dict[Any, Callable[[], Any]] = {
        str: lambda: f"text-{number}",
        bool: lambda: True,
        int: lambda: 3,
        Decimal: lambda: Decimal(number) / 4,
        date: lambda: date(2025, 1, 1 + number % 28),
        datetime: lambda: datetime(2025, 1, 1, tzinfo=UTC).replace(minute=number % 60),
    }
    return made[kind]() if kind in made else {}


def position() -> Any:
    held = dataclasses.replace(
        filled(Position), quantity_direction="Short", instrument_type="Equity Option"
    )
    return value(held, filled(Price), filled(GreekValues))


CASES: list[tuple[Callable[[], Any], Callable[[Any], Message]]] = [
    (lambda: filled(Balances), balances_response),
    (lambda: filled(Balances), balances_to),
    (lambda: filled(NetLiquidatingValue), net_liquidating_value_to),
    (lambda: filled(Transaction), transaction_to),
    (lambda: filled(Order), order_to),
    (lambda: filled(MarketMetrics), market_metrics_to),
    (lambda: filled(SymbolMatch), symbol_match_to),
    (lambda: filled(Watchlist), watchlist_to),
    (position, position_to),
]


def empty_fields(message: Message, path: str = "") -> list[str]:
    found = []
    present = {field.name for field, _ in message.ListFields()}
    for field in message.DESCRIPTOR.fields:
        if field.name not in present:
            found.append(path + field.name)
            continue

        inner = getattr(message, field.name)
        for each in inner if field.is_repeated else [inner]:
            if isinstance(each, Message) and not field.message_type.full_name.startswith("google"):
                found += empty_fields(each, f"{path}{field.name}.")

    return found


@pytest.mark.parametrize(("make", "to"), CASES, ids=[to.__name__ for _, to in CASES])
def test_every_field_is_filled(make: Callable[[], Any], to: Callable[[Any], Message]) -> None:
    assert empty_fields(to(make())) == []


def test_texts_are_each_from_a_value_of_its_own() -> None:
    """Two fields with one text would be a slip of the pen; the guide's own synonyms are meant."""
    synonyms = {"cash", "buying_power"}
    for make, to in CASES:
        message = to(make())
        texts = [
            getattr(message, field.name)
            for field, _ in message.ListFields()
            if field.type == field.TYPE_STRING and field.name not in synonyms
        ]
        assert len(texts) == len(set(texts)), to.__name__


def test_a_short_option_turns_its_greeks_and_its_profit_round() -> None:
    held = dataclasses.replace(
        filled(Position),
        quantity_direction="Short",
        instrument_type="Equity Option",
        quantity=Decimal(2),
        multiplier=Decimal(100),
        average_open_price=Decimal("4.50"),
    )
    greeks = GreekValues(
        delta=Decimal("-0.68"), gamma=Decimal("0.02"), theta=Decimal("-0.15"), vega=Decimal("0.08")
    )
    message = position_to(value(held, Price(value=Decimal("5.25"), source="quote"), greeks))

    assert message.quantity == 2
    assert message.unrealized_pnl == "-150.00"
    assert (message.delta, message.gamma, message.theta, message.vega) == (
        "-0.68",
        "0.02",
        "-0.15",
        "0.08",
    )
    assert (message.position_delta, message.position_theta) == ("136", "30")


def test_a_long_stock_has_a_delta_of_its_own_and_no_greeks() -> None:
    held = dataclasses.replace(
        filled(Position),
        quantity_direction="Long",
        instrument_type="Equity",
        quantity=Decimal(100),
        multiplier=Decimal(1),
    )
    message = position_to(value(held))
    assert message.position_delta == "100"
    assert not message.HasField("delta")
    assert message.price_source == "mark"
    assert not list(missing_of(value(held)))


def test_what_is_missing_is_told() -> None:
    held = dataclasses.replace(
        filled(Position), instrument_type="Equity Option", mark_price=None, close_price=None
    )
    valued = value(held)
    message = position_to(valued)
    assert not message.HasField("current_price")
    assert not message.HasField("unrealized_pnl")
    assert message.price_source == ""
    assert [each.reason.split(":")[0] for each in missing_of(valued)] == ["No price", "No greeks"]


@pytest.mark.parametrize("status", ["closed", "pre-market", "extended", "after-hours"])
def test_an_exchange_that_is_not_open_tells_when_it_opens(status: str) -> None:
    now = datetime(2025, 12, 15, 13, 0, tzinfo=UTC)
    hours = ExchangeHours(
        exchange="Equity",
        status=status,
        open_at=datetime(2025, 12, 15, 14, 30, tzinfo=UTC),
        close_at=datetime(2025, 12, 15, 21, 0, tzinfo=UTC),
        next_open_at=datetime(2025, 12, 16, 14, 30, tzinfo=UTC),
    )
    before = market_session_to(hours, None, now)
    assert not before.HasField("close_at")
    assert before.next_open == "2025-12-15T09:30:00-05:00"
    assert before.time_until_open == "1 hour, 30 minutes"
    assert not before.HasField("is_holiday")

    after = market_session_to(hours, None, now.replace(hour=22))
    assert after.next_open == "2025-12-16T09:30:00-05:00"
