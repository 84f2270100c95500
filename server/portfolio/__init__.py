"""Values positions with live prices, and streams the portfolio."""

from __future__ import annotations
