"""The server as a program of its own that notes how long each step of its loop took.

Prints its gRPC port as soon as it answers. From the first line of its input it watches, and at the
end of its input it stops and prints the longest steps as JSON: seconds of the processor, and what
ran.
"""

from __future__ import annotations

__all__ = ["main"]

import asyncio
import json
import sys
import time
from typing import Any

from server import logs
from server.agent import messages_api  # noqa: F401 - loading it is not what is measured
from server.app import open_app
from server.settings import Settings

WORTH_NOTING_S = 0.01
SHOWN = 10


def main() -> None:
    settings = Settings()
    logs.configure(settings, sys.stderr)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    async with open_app(settings) as app:
        print(app.grpc_port, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        steps = _watch()
        await asyncio.to_thread(sys.stdin.read)
        noted = list(steps)

    print(json.dumps(sorted(noted, reverse=True)[:SHOWN]), flush=True)


def _watch() -> list[tuple[float, str]]:
    """Times every step from now on: by the processor's time, to which a busy machine adds none."""
    steps: list[tuple[float, str]] = []
    run = asyncio.events.Handle._run

    def timed(handle: Any) -> None:
        began = time.thread_time()
        run(handle)
        took = time.thread_time() - began
        if took > WORTH_NOTING_S:
            task = getattr(handle._callback, "__self__", None)
            name = repr(task.get_coro()) if isinstance(task, asyncio.Task) else repr(handle)
            steps.append((took, name[:300]))

    asyncio.events.Handle._run = timed  # type: ignore[method-assign] # this process is for that
    return steps


if __name__ == "__main__":
    main()
