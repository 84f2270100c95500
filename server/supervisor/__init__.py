"""Starts the whole gateway as child processes, watches them, and ends them together.

It serves nothing itself: simulator, server and edge are programs of their own, and the gateway is
up only while all of them are.
"""

from __future__ import annotations

__all__ = ["ExitCode", "Supervisor"]

from server.supervisor.up import ExitCode, Supervisor
