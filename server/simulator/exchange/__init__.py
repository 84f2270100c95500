"""Simulates an exchange and the broker's back office: orders, executions, margin, fees and books.

The exchange reads the market through `contracts.Venue` and publishes through `contracts.Publisher`,
so that it runs in a test without either.
"""

from __future__ import annotations

__all__ = ["Exchange", "ExchangeSettings", "ExchangeStatistics"]

from server.simulator.exchange.exchange import Exchange, ExchangeStatistics
from server.simulator.exchange.settings import ExchangeSettings
