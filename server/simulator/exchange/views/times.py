"""Formats instants as the broker does: orders with `+00:00`, transactions and all else with `Z`."""

from __future__ import annotations

__all__ = ["format_offset", "format_zulu", "to_epoch_ms"]

from datetime import UTC, datetime


def format_offset(at: datetime) -> str:
    """Formats an instant as `2026-06-12T19:33:51.327+00:00`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def format_zulu(at: datetime) -> str:
    """Formats an instant as `2026-06-05T13:30:02.910Z`."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def to_epoch_ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
