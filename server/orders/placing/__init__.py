"""Prepares and validates orders, and places, replaces and cancels them."""

from __future__ import annotations
