"""A door to a PostgreSQL server that a test can shut, or behind which nobody answers any more."""

from __future__ import annotations

__all__ = ["PostgresProxy"]

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

SOCKET = ".s.PGSQL.5432"


class PostgresProxy:
    """Carries bytes between a Unix socket of its own and the server's."""

    def __init__(self, url: str, folder: Path) -> None:
        parts = urlsplit(url)
        self._behind = Path(unquote(parts.query.partition("=")[2])) / SOCKET
        self._socket = folder / SOCKET
        self.url = f"{url.partition('?')[0]}?host={quote(str(folder), safe='')}"
        self._open = asyncio.Event()
        self._open.set()
        self._carrying: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[PostgresProxy]:
        """Serves while the block runs."""
        self._server = await asyncio.start_unix_server(self._serve, self._socket)
        try:
            yield self
        finally:
            await self.shut()

    def hang(self) -> None:
        """Lets nothing through from now on, and tells nobody."""
        self._open.clear()

    async def shut(self) -> None:
        """Cuts every connection, and refuses new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None

        self._socket.unlink(missing_ok=True)
        for task in self._carrying:
            task.cancel()

        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        behind, into = await asyncio.open_unix_connection(self._behind)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry(reader, into))
                both.create_task(self._carry(behind, writer))
        except* (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._carrying.discard(task)
            for each in (into, writer):
                each.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(1 << 16):
            await self._open.wait()
            target.write(data)
            await target.drain()

        raise ConnectionResetError  # whichever side ends, ends both
