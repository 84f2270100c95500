"""Days, moments and waiting times as the contract writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from server.errors import InvalidDate
from server.wire.market_session import until
from server.wire.times import date_from, new_york_text, timestamp


def test_moments_have_new_yorks_offset() -> None:
    assert new_york_text(datetime(2025, 12, 15, 21, tzinfo=UTC)) == "2025-12-15T16:00:00-05:00"
    assert new_york_text(datetime(2025, 7, 15, 20, tzinfo=UTC)) == "2025-07-15T16:00:00-04:00"
    assert new_york_text(None) is None


def test_timestamps_are_the_same_instant() -> None:
    moment = datetime(2025, 12, 15, 21, 1, 2, 345000, tzinfo=UTC)
    message = timestamp(moment)
    assert message is not None
    assert message.ToJsonString() == "2025-12-15T21:01:02.345Z"
    assert timestamp(None) is None


def test_a_day_is_read_in_the_one_documented_form() -> None:
    assert date_from("2025-12-19") == date(2025, 12, 19)
    for text in ("12/19/2025", "20251219", "2025-W51-5", "2025-13-01", "2025-12-32", "", "soon"):
        with pytest.raises(InvalidDate, match="Expected YYYY-MM-DD"):
            date_from(text)


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (timedelta(hours=2, minutes=5), "2 hours, 5 minutes"),
        (timedelta(days=1, hours=1, minutes=59), "1 day, 1 hour"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(seconds=-1), "less than a minute"),
        (timedelta(days=2, minutes=3), "2 days, 3 minutes"),
    ],
)
def test_a_wait_in_words(wait: timedelta, words: str) -> None:
    assert until(wait) == words
