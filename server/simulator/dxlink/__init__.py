"""Serves the market-data feed: dxFeed's dxLink protocol over WebSocket.

The protocol is served as dxFeed specifies it, not only as far as one SDK uses it. This package
computes no price: events come from `Market`, as flat columns where speed matters.
"""

from __future__ import annotations

__all__ = ["DXLink", "DXLinkStatistics"]

from server.simulator.dxlink.server import DXLink, DXLinkStatistics
