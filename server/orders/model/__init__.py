"""Values of orders: drafts, prices, ticks, what is kept of them, what a caller is told."""

from __future__ import annotations
