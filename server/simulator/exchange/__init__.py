"""An exchange with the broker's back office: accounts, orders, executions, margin, fees, books.

It knows the market through one seam (`contracts.Venue`) and the account streamer through another
(`contracts.Publisher`), so that it runs in a test without either.
"""

from __future__ import annotations

__all__ = ["Exchange", "ExchangeSettings", "ExchangeStatistics"]

from server.simulator.exchange.exchange import Exchange, ExchangeStatistics
from server.simulator.exchange.settings import ExchangeSettings
