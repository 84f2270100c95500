"""The server as a program that kills itself at a named step of an order: `... STEP` or `... -`.

The steps are those that the server logs (`server.orders.submitting.submitter`), so nothing in it
knows of this.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import Any

import structlog

from server.app import open_app
from server.settings import Settings


def main(fatal: str) -> None:
    def die(_logger: Any, _name: str, event: structlog.typing.EventDict) -> Any:
        if event["event"] == "order step" and event["step"] == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        raise structlog.DropEvent

    structlog.configure(
        processors=[die], wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG)
    )
    asyncio.run(serve())


async def serve() -> None:
    async with open_app(Settings()) as app:
        print(f"ready {app.grpc_port}", flush=True)
        await app.serve_until_stopped()


if __name__ == "__main__":
    main(sys.argv[1])
