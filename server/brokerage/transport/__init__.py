"""Carries requests to the broker: sessions' connections, pace, failures."""

from __future__ import annotations
