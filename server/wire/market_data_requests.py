"""Requests for market data as values of the domain, checked as far as a text can be checked."""

from __future__ import annotations

__all__ = [
    "DEFAULT_SEND_INTERVAL",
    "POSITIONS_SEND_INTERVAL",
    "queries",
    "send_interval_of",
    "symbols",
    "timeout",
]

import math
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from tasty.v1 import account_service_pb2, instrument_pb2
from tasty.v1 import market_data_stream_pb2 as stream_pb2

from server.brokerage.instruments.lookup import InstrumentQuery
from server.errors import NothingGiven, TooManyGiven
from server.streams.send_pacer import SendInterval

DEFAULT_TIMEOUT_S = 10.0
DEFAULT_INTERVAL_S = 0.1
DEFAULT_HEARTBEAT_S = 15.0

Paced = (
    stream_pb2.StreamQuotesRequest
    | stream_pb2.StreamGreeksRequest
    | stream_pb2.StreamTradesRequest
    | stream_pb2.StreamCandlesRequest
    | stream_pb2.StreamMarketDataRequest
    | account_service_pb2.StreamPositionsRequest
)
"""The requests that choose a send interval."""


def queries(
    instruments: Iterable[instrument_pb2.Instrument], *, noun: str, allowed: int
) -> list[InstrumentQuery]:
    """Returns what is asked for; raises TooManyGiven."""
    given = list(instruments)
    if len(given) > allowed:
        raise TooManyGiven(f"{noun}s", given=len(given), allowed=allowed)

    return [
        InstrumentQuery(
            symbol=each.symbol,
            option_type=each.option_type if each.HasField("option_type") else None,
            strike=_strike(each.strike_price) if each.HasField("strike_price") else None,
            expiration=each.expiration_date if each.HasField("expiration_date") else None,
        )
        for each in given
    ]


def symbols(given: Iterable[str], *, allowed: int) -> list[str]:
    """Returns the distinct symbols of a subscription, in the order given."""
    distinct = list(dict.fromkeys(symbol for symbol in given if symbol.strip()))
    if not distinct:
        raise NothingGiven("symbol")
    if len(distinct) > allowed:
        raise TooManyGiven("symbols", given=len(distinct), allowed=allowed)
    return distinct


def timeout(seconds: float | None) -> float:
    """Returns how long to wait, in seconds."""
    return DEFAULT_TIMEOUT_S if seconds is None else seconds


DEFAULT_SEND_INTERVAL = SendInterval(
    min_interval=timedelta(seconds=DEFAULT_INTERVAL_S),
    heartbeat=timedelta(seconds=DEFAULT_HEARTBEAT_S),
)


POSITIONS_SEND_INTERVAL = SendInterval(
    min_interval=timedelta(seconds=1), heartbeat=timedelta(seconds=DEFAULT_HEARTBEAT_S)
)
"""A portfolio is read by people, and every message of it is the whole of what changed."""


def send_interval_of(request: Paced, default: SendInterval = DEFAULT_SEND_INTERVAL) -> SendInterval:
    """Returns how often a reader asks to be sent data; what it leaves out is as in `default`."""
    interval, heartbeat = default.min_interval, default.heartbeat
    if request.HasField("min_interval"):
        interval = timedelta(seconds=request.min_interval)
    if request.HasField("heartbeat_interval"):
        heartbeat = timedelta(seconds=request.heartbeat_interval)
    return SendInterval(min_interval=interval, heartbeat=heartbeat)


def _strike(raw: float) -> Decimal:
    # The shortest text of a float is what the client wrote: 12.35 stays 12.35.
    return Decimal(repr(raw)) if math.isfinite(raw) else Decimal("NaN")
