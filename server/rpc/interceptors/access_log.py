"""Writes one line a call: what, by whom, how it ended, how long it took."""

from __future__ import annotations

__all__ = ["AccessLog"]

from typing import Any

import structlog

from server.clock import Clock
from server.rpc.call import Call
from server.rpc.chain import Body

QUIET = frozenset({"/tasty.v1.SystemService/GetHealth"})
"""Asked every second by whatever watches the server: told at debug level only."""
OURS = frozenset({"INTERNAL", "UNKNOWN"})
"""Outcomes that are nobody's fault but ours."""


class AccessLog:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._log = structlog.get_logger("server.access").bind()

    async def around(self, call: Call, proceed: Body) -> Any:
        started = self._clock.monotonic()
        try:
            return await proceed(call)
        finally:
            self._write(call, self._clock.monotonic() - started)

    def _write(self, call: Call, seconds: float) -> None:
        code = call.code
        if code in OURS:
            write = self._log.error
        elif call.method.path in QUIET or call.inner:
            write = self._log.debug
        else:
            write = self._log.info

        tenant = call.known_tenant
        write(
            "call",
            method=call.method.path,
            code=code,
            ms=round(seconds * 1000, 1),
            tenant=None if tenant is None else tenant.id[:12],
        )
