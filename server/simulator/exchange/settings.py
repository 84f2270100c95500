"""What can be set about the exchange: how fast, how patient, and which of two broker habits."""

from __future__ import annotations

__all__ = ["ExchangeSettings"]

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeSettings:
    """The whole configuration, frozen."""

    routing: timedelta = timedelta(milliseconds=15)
    """Routed → In Flight."""

    flight: timedelta = timedelta(milliseconds=25)
    """In Flight → Live."""

    first_match: timedelta = timedelta(milliseconds=20)
    """Live → first look at the market."""

    match_every: timedelta = timedelta(milliseconds=100)
    """How often a working order is held against the market."""

    patience: timedelta = timedelta(seconds=2)
    """An order at the middle of the market or better is met there after this long."""

    depth: Decimal = Decimal(10)
    """How many times the displayed size can be had at a price in one go; an order beyond that is
    filled in parts, one every `match_every`."""

    leg_gap: timedelta = timedelta(milliseconds=5)
    """Between the fills of two legs of one execution: the order is Filled before they all are."""

    cancelling: timedelta = timedelta(milliseconds=60)
    """Cancel Requested → Cancelled; a fill may come in between."""

    replacing: timedelta = timedelta(milliseconds=80)
    """Replace Requested → Cancelled, and the new order is routed."""

    dry_run_refuses_margin: bool = False
    """True: a dry run that fails the margin check is 422, with the figures under `data` beside the
    error. False: it is a success with the problem among `warnings` and `errors`."""

    camel_case_net_liq: bool = False
    """True: net-liq history with the documented camelCase keys and bare numbers, which the SDK
    cannot read. False: dashed keys and decimal strings, which it can."""
