"""The market-data feed: dxFeed's dxLink protocol over WebSocket.

The protocol is served as dxFeed specifies it and not only as far as one SDK uses it. Nothing in
here knows a price: events come from `Market`, as flat columns where speed matters.
"""

from __future__ import annotations

__all__ = ["DXLink", "DXLinkStatistics"]

from server.simulator.dxlink.server import DXLink, DXLinkStatistics
