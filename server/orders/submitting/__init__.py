"""Records each change, sends it once, and finds out what became of it."""

from __future__ import annotations
