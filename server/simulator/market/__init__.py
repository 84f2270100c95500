"""A market with sense: every price is a function of seed, symbol and time, and all of them agree.

Nothing in here runs in the background: a price is computed when somebody asks for it.
"""

from __future__ import annotations

__all__ = ["Clock", "Instrument", "Market", "Quote", "TickSize"]

from server.simulator.market.instrument import Clock, Instrument, Quote, TickSize
from server.simulator.market.market import Market
