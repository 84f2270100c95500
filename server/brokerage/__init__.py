"""The broker, through the real SDK: sessions, reads as domain values, failures as our errors.

Nothing else in the tree imports `tastytrade`. `Brokerage` opens a tenant's `BrokerSession` on
demand; importing this package does not import the SDK, which takes its time.
"""

from __future__ import annotations

__all__ = ["BrokerSession", "Brokerage", "BrokerageStatistics"]

from server.brokerage.session import BrokerSession
from server.brokerage.sessions import Brokerage, BrokerageStatistics
