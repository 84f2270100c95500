"""Values of orders: drafts, prices, ticks, journal records and receipts."""

from __future__ import annotations
