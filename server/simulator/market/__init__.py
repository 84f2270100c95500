"""Simulates a market: every price is a function of seed, symbol and time, and all prices agree.

No task runs in the background: a price is computed when it is asked for.
"""

from __future__ import annotations

__all__ = ["Clock", "Instrument", "Market", "Quote", "TickSize"]

from server.simulator.market.instrument import Clock, Instrument, Quote, TickSize
from server.simulator.market.market import Market
