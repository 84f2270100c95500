"""One whole gateway for the tests of several folders, from the first use of it to `close`.

A start takes three seconds of a processor, and one that has been used is never idle: its market
moves. So there is one of it in each worker, and it does not outlive the folders that use it.
"""

from __future__ import annotations

__all__ = ["SharedGateway"]

from contextlib import ExitStack

import pytest

from tests.stack import Gateway, run_gateway


class SharedGateway:
    """Runs the gateway without a rate limit, since all of its tests share the demo key.

    They are in no order, so each cleans up what would change another's answer: faults above all.
    """

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._stack = ExitStack()
        self._gateway: Gateway | None = None

    def running(self) -> Gateway:
        """Returns the gateway, which is started if it does not run."""
        if self._gateway is None:
            folder = self._folders.mktemp("gateway")
            self._gateway = self._stack.enter_context(run_gateway(folder, rate_limit=0))

        return self._gateway

    def close(self) -> None:
        """Stops it; who asks for it afterwards gets a new one."""
        self._gateway = None
        self._stack.close()
