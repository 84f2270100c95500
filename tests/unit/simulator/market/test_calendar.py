"""Tests the calculated calendar against a package that lists one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pandas_market_calendars
import pytest

from server.simulator.market.calendar import (
    NEW_YORK,
    TradingHours,
    half_days,
    holidays,
    is_half_day,
    is_trading_day,
    third_friday,
)


# The package is behind its own dependency.
@pytest.mark.filterwarnings("ignore:Series.dt.weekday is deprecated")
def test_every_day_of_twenty_years_is_what_the_exchange_says() -> None:
    schedule = pandas_market_calendars.get_calendar("NYSE").schedule("2015-01-01", "2034-12-31")
    closes = {
        opened.date(): closed.tz_convert(NEW_YORK).hour
        for opened, closed in zip(schedule.index, schedule["market_close"], strict=True)
    }
    day, wrong = date(2015, 1, 1), []
    while day < date(2035, 1, 1):
        if is_trading_day(day) != (day in closes) or is_half_day(day) != (closes.get(day) == 13):
            wrong.append(day)

        day += timedelta(days=1)

    assert len(closes) > 5000
    assert wrong == []


def test_monthly_expiration_moves_off_a_holiday() -> None:
    assert third_friday(2026, 6) == date(2026, 6, 18)  # Juneteenth
    assert third_friday(2025, 4) == date(2025, 4, 17)  # Good Friday, the 18th
    assert third_friday(2026, 12) == date(2026, 12, 18)


def test_holidays_are_sorted_and_no_half_day_is_one() -> None:
    for year in range(2020, 2035):
        assert list(holidays(year)) == sorted(holidays(year))
        assert not set(holidays(year)) & set(half_days(year))


@pytest.mark.parametrize(
    ("collection", "at", "is_open"),
    [
        ("Equity", (2026, 11, 20, 14, 29), False),
        ("Equity", (2026, 11, 20, 14, 30), True),
        ("Equity", (2026, 11, 20, 20, 59), True),
        ("Equity", (2026, 11, 20, 21, 0), False),
        ("Equity", (2026, 11, 21, 17, 0), False),  # a Saturday
        ("Equity", (2026, 11, 26, 17, 0), False),  # Thanksgiving
        ("Equity", (2026, 11, 27, 18, 30), False),  # the half day after it
        ("CME", (2026, 11, 22, 23, 30), True),  # Sunday evening
        ("CME", (2026, 11, 20, 22, 30), False),  # the pause on Friday begins a weekend
        ("CME", (2026, 11, 26, 15, 0), True),  # Thanksgiving, until 13:00
        ("CFE", (2026, 12, 25, 17, 0), False),
    ],
)
def test_real_hours(collection: str, at: tuple[int, ...], is_open: bool) -> None:
    hours = TradingHours(always_open=False)
    assert hours.is_open(collection, datetime(*at, tzinfo=UTC)) is is_open
    assert TradingHours(always_open=True).is_open(collection, datetime(*at, tzinfo=UTC))


def test_closed_exchange_stands_at_its_last_close() -> None:
    hours = TradingHours(always_open=False)
    sunday = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
    assert hours.last_instant("Equity", sunday) == datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
    early = datetime(2026, 11, 30, 13, 0, tzinfo=UTC)  # Monday before the opening
    assert hours.last_instant("Equity", early) == datetime(2026, 11, 27, 18, 0, tzinfo=UTC)


def test_neighbours_of_a_session() -> None:
    hours = TradingHours(always_open=False)
    thanksgiving = date(2026, 11, 26)
    assert hours.session("Equity", thanksgiving) is None
    assert hours.next_session("Equity", thanksgiving).day == date(2026, 11, 27)
    assert hours.previous_session("Equity", thanksgiving).day == date(2026, 11, 25)
