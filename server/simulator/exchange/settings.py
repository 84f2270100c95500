"""Defines the settings of the exchange."""

from __future__ import annotations

__all__ = ["ExchangeSettings"]

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeSettings:
    """Holds the configuration of the exchange."""

    routing: timedelta = timedelta(milliseconds=15)
    """Time from Routed to In Flight."""

    flight: timedelta = timedelta(milliseconds=25)
    """Time from In Flight to Live."""

    first_match: timedelta = timedelta(milliseconds=20)
    """Time from Live to the first match against the market."""

    match_every: timedelta = timedelta(milliseconds=100)
    """How often a working order is matched against the market."""

    patience: timedelta = timedelta(seconds=2)
    """An order at the middle of the market or better is filled after waiting this long."""

    depth: Decimal = Decimal(10)
    """How many times the displayed size can be filled at once; a larger order is filled in parts,
    one every `match_every`."""

    leg_gap: timedelta = timedelta(milliseconds=5)
    """Time between the fills of two legs of one execution; the order is Filled before the last
    one."""

    cancelling: timedelta = timedelta(milliseconds=60)
    """Time from Cancel Requested to Cancelled; a fill may come first."""

    replacing: timedelta = timedelta(milliseconds=80)
    """Time from Replace Requested to Cancelled, when the new order is routed; a fill may come
    first."""

    dry_run_refuses_margin: bool = False
    """True: a dry run that fails the margin check is 422, with the figures under `data` beside the
    error. False: it is a success with the problem among `warnings` and `errors`."""

    camel_case_net_liq: bool = False
    """True: net-liq history with the documented camelCase keys and bare numbers, which the SDK
    cannot read. False: dashed keys and decimal strings, which it can."""
