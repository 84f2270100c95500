"""One tenant's live session of the real SDK: it logs in, stays logged in, and carries requests.

Importing this module imports the SDK (0.3 s): only `sessions.py` does so, in a thread. Replies are
taken as raw JSON and read by our own (`json_reader.py`), because the SDK's models drop a whole
list for one value that they do not know. Logging in, headers, hosts, streamers and the form of
orders are the SDK's.
"""

from __future__ import annotations

__all__ = ["Connection", "ConnectionPool"]

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx2
import orjson

from server.brokerage.api.json_reader import items_of
from server.brokerage.transport.hosts import Hosts
from server.brokerage.transport.pacing import Pacer
from server.brokerage.transport.sdk import Session
from server.brokerage.transport.send_progress import SendProgress
from server.brokerage.transport.transport import BrokerTransport
from server.clock import Clock
from server.errors import BrokerUnreadable, GrantRevoked
from server.tenants import Credentials
from server.tls import trusted

KEPT_ALIVE = 64
IDLE_S = 30.0
"""How long an idle connection is kept: it saves two round trips, and load balancers close them
after a minute, which must not happen while a request is on its way."""
MOST_PAGES = 1000
"""A bound on paging, should the broker's count of pages ever be wrong."""

Params = Mapping[str, Any]


class ConnectionPool(httpx2.AsyncHTTPTransport):
    """The TCP connections to the broker, shared by all tenants: they carry no identity.

    Unlimited in number, since each streamer of each tenant holds one for days.
    """

    def __init__(self) -> None:
        super().__init__(
            verify=trusted(),
            limits=httpx2.Limits(
                max_connections=None,
                max_keepalive_connections=KEPT_ALIVE,
                keepalive_expiry=IDLE_S,
            ),
        )


class Connection:
    """Sends requests as one tenant."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        pool: httpx2.AsyncBaseTransport,
        hosts: Hosts,
        pacer: Pacer,
        longest: timedelta,
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._renewing = asyncio.Lock()
        self.pacer = pacer
        self.transport = BrokerTransport(pool, hosts=hosts, pacer=pacer, longest=longest)
        self.transport.renew = self._renew
        self.transport.forget = self._forget
        self.sdk = Session(
            credentials.client_secret.reveal(),
            credentials.refresh_token.reveal(),
            is_test=hosts.is_test,
            transport=self.transport,
            # The transport bounds the whole answer; these are the bounds of its single steps.
            timeout=longest.total_seconds(),
        )
        self.renewals = 0

    @property
    def revoked(self) -> GrantRevoked | None:
        """The broker's final refusal of the refresh token, if it has come to that."""
        return self.transport.revoked

    async def keep_fresh(self, ahead: timedelta) -> None:
        """Renews the access token if it ends within `ahead`; logs in if it never was."""
        left = self.sdk.session_expiration - self._clock.now().timestamp()
        if left < ahead.total_seconds():
            await self._renew(self.sdk.session_token)

    async def get(self, path: str, params: Params | None = None) -> Any:
        """Returns the `data` of an answer."""
        return _data(await self._answer("GET", path, params=params))

    async def pages(self, path: str, params: Params, *, per_page: int) -> list[Any]:
        """Returns the items of all pages; `page-offset` counts pages, not items.

        Each page waits for a turn of its own, so that other requests go between.
        """
        items: list[Any] = []
        for page in range(MOST_PAGES):
            answer = await self._answer(
                "GET", path, params={**params, "per-page": per_page, "page-offset": page}
            )
            new = items_of(_data(answer))
            items.extend(new)
            pagination = answer.get("pagination") or {}
            if not new or page >= int(pagination.get("total-pages") or 0) - 1:
                break

        return items

    async def send(
        self, method: str, path: str, body: object = None, *, progress: SendProgress | None = None
    ) -> Any:
        """Sends a change once, and returns the `data` of its answer (None without one).

        `progress` watches that one request; what may come before it (a login) is not part of it.
        """
        content = None if body is None else orjson.dumps(body)
        return (await self._answer(method, path, content=content, progress=progress)).get("data")

    def end(self) -> None:
        """Lets nothing more out; what is on its way comes to its end.

        The SDK's client is left open: it owns no connection, and closing it would cut off calls
        that are about to send.
        """
        self.transport.ended = True

    async def _answer(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        content: bytes | None = None,
        progress: SendProgress | None = None,
    ) -> dict[str, Any]:
        self.pacer.hurry()  # somebody less urgent may be logging in
        await self.sdk.refresh()
        client = self.sdk._client
        watched = None if progress is None else {"trace": progress.trace}
        response = await client.request(
            method, path, params=_given(params), content=content, extensions=watched
        )
        try:
            answer = orjson.loads(response.content) if response.content.strip() else {}
        except orjson.JSONDecodeError:
            raise BrokerUnreadable("broken JSON") from None

        if not isinstance(answer, dict):
            raise BrokerUnreadable("an answer without its envelope")

        return answer

    async def _renew(self, stale: str) -> str:
        """Returns a token newer than `stale`; many callers with one stale token renew it once."""
        async with self._renewing:
            if self.sdk.session_token == stale:
                self.renewals += 1
                await self.sdk.refresh(force=True)

            return str(self.sdk.session_token)

    def _forget(self, stale: str) -> None:
        """Lets the next request renew the access token, unless that has happened meanwhile."""
        if self.sdk.session_token == stale:
            self.sdk.session_expiration = 0.0


def _data(answer: dict[str, Any]) -> Any:
    if "data" not in answer:
        raise BrokerUnreadable("an answer without data")

    return answer["data"]


def _given(params: Params | None) -> dict[str, Any] | None:
    if params is None:
        return None

    return {name: value for name, value in params.items() if value is not None}
