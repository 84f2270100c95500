"""Resolves symbols, contracts and option chains."""

from __future__ import annotations
