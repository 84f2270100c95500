"""The door to the model: which one, by whose key, and the SDK loaded once it is needed."""

from __future__ import annotations

__all__ = ["LazyModelClient"]

import asyncio
import gc
import importlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

import structlog

from server.agent.model import ModelAnswer, ModelRequest, TextPiece
from server.clock import Clock
from server.errors import NoModel
from server.secret import Secret
from server.settings import Settings

if TYPE_CHECKING:
    from server.agent.messages_api import MessagesApi  # imports the SDK, see there

ANTHROPIC = "https://api.anthropic.com"
STAND_IN_PATH = "/anthropic"
STAND_IN_KEY = Secret("stand-in")
AFTER_THE_START = timedelta(seconds=5)
"""The SDK takes a processor for a second or two, which whatever starts beside us can use better."""


class LazyModelClient:
    """Satisfies `Model`.

    With a key it is Anthropic's API. Without one it is the simulator's stand-in where the simulator
    is the broker, and nothing at all where a real broker is.
    """

    def __init__(self, settings: Settings, clock: Clock, tasks: asyncio.TaskGroup) -> None:
        key = settings.anthropic_api_key.get_secret_value()
        self._key = Secret(key)
        self._url = settings.anthropic_url.rstrip("/") or ANTHROPIC
        if not key and settings.broker == "simulator":
            base = settings.simulator_url or f"http://127.0.0.1:{settings.simulator_port}"
            self._key = STAND_IN_KEY
            self._url = settings.anthropic_url.rstrip("/") or base.rstrip("/") + STAND_IN_PATH

        self._api: MessagesApi | None = None
        self._loading = asyncio.Lock()
        self._clock = clock
        self._tasks = tasks
        self._loader: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("server.agent")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._loader is not None:
            self._loader.cancel()

        if self._api is not None:
            await self._api.close()

    @property
    def configured(self) -> bool:
        return bool(self._key)

    @property
    def loaded(self) -> bool:
        return self._api is not None

    def load_soon(self) -> None:
        """Loads it a little later, unless somebody needs it before."""
        if self.configured:
            self._loader = self._tasks.create_task(self._load_later(), name="model SDK, later")

    def begin_to_load(self) -> None:
        if self.configured and not self.loaded and not self._loading.locked():
            if self._loader is not None:
                self._loader.cancel()  # it waits still: else it would hold the lock, or be done

            self._loader = self._tasks.create_task(self._load_quietly(), name="model SDK")

    async def load(self) -> None:
        """Returns once the SDK is loaded; raises NoModel where it would be of no use."""
        if not self.configured:
            raise NoModel

        async with self._loading:
            if self._api is None:
                # In a thread: two seconds, in which everybody else is served.
                self._api = await asyncio.to_thread(self._open)

    def _open(self) -> MessagesApi:
        # What is imported stays. The collector would look through it again and again as it grows: a
        # fifth of the time, in which nobody else runs.
        gc.disable()
        try:
            importlib.import_module("server.agent.warm_up").rehearse()
            module = importlib.import_module("server.agent.messages_api")
        finally:
            gc.enable()
        api: MessagesApi = module.MessagesApi(key=self._key, url=self._url, clock=self._clock)
        return api

    async def _load_later(self) -> None:
        await self._clock.sleep(AFTER_THE_START)
        await self._load_quietly()

    async def _load_quietly(self) -> None:
        try:
            await self.load()
        except ImportError:  # whoever asks the model is told
            self._log.exception("model_sdk_not_loaded")

    async def ask(self, request: ModelRequest) -> AsyncGenerator[TextPiece | ModelAnswer, None]:
        await self.load()
        assert self._api is not None  # noqa: S101 - for the type checker; it has just been loaded
        async with aclosing(self._api.ask(request)) as pieces:
            async for piece in pieces:
                yield piece
