"""Connects to the broker's streams: DXLink market data and account alerts."""

from __future__ import annotations
