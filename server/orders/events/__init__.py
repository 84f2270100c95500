"""Numbers account events, keeps them, and streams them to readers."""

from __future__ import annotations
