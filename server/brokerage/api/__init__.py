"""Reads and writes the broker's REST resources, one module a noun."""

from __future__ import annotations
