"""Holds what all streams share: pacing, back-off, the count of open ones."""

from __future__ import annotations
