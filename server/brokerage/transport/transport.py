"""The one road to the broker: every request of the SDK, and of its streamers, passes here.

It sends simulated traffic to the simulator, keeps the pace, bounds every wait, repeats a read once
after an expired access token or a 429, and turns a failed answer into our error while the HTTP
status is still known. It never closes the connections below it: the SDK hands the same arguments
to each streamer's client, and a streamer that ends would otherwise close everybody's connections.
"""

from __future__ import annotations

__all__ = ["BrokerTransport"]

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx2
import orjson
import structlog

from server.brokerage.transport.failures import LOGIN_PATH, Refusal, explain, unreachable
from server.brokerage.transport.hosts import Hosts
from server.brokerage.transport.pacing import Pacer
from server.errors import BrokerTimeout, BrokerUnavailable, BrokerUnreadable, GrantRevoked

log = structlog.get_logger(__name__)

READS = frozenset({"GET", "HEAD"})
SWITCHING_PROTOCOLS = 101


class BrokerTransport(httpx2.AsyncBaseTransport):
    """One tenant's requests, over connections that all tenants share.

    After a final refusal of the refresh token nothing is sent any more: each request fails at
    once with that refusal. `renew` is given the stale access token and returns a fresh one;
    `forget` is told of one that a write met, so that the next request renews it.
    """

    def __init__(
        self,
        pool: httpx2.AsyncBaseTransport,
        *,
        hosts: Hosts,
        pacer: Pacer,
        longest: timedelta,
    ) -> None:
        self._pool = pool
        self._hosts = hosts
        self._pacer = pacer
        self._longest = longest.total_seconds()
        self.renew: Callable[[str], Awaitable[str]] | None = None
        self.forget: Callable[[str], None] | None = None
        self.revoked: GrantRevoked | None = None
        self.on_revoked: Callable[[GrantRevoked], None] | None = None
        """Told of the final refusal, once."""
        self.ended = False
        self.requests = 0
        """Requests sent so far, renewals and repetitions included."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._exchange(request)
        if request.method in READS:
            response = await self._once_more(request, response)
        elif response.status_code == 401 and self.forget is not None:
            # Not renewed here: whoever waits for an order's outcome should have it at once.
            self.forget(_token_of(request))

        if response.status_code == SWITCHING_PROTOCOLS:
            return response

        path = request.url.path
        if not response.is_success:
            raise self._refused(
                Refusal.read(request.method, path, response.status_code, response.content)
            )

        _check_readable(path, response)
        return response

    async def aclose(self) -> None:
        """Does nothing: the connections belong to the brokerage."""

    async def _once_more(
        self, request: httpx2.Request, response: httpx2.Response
    ) -> httpx2.Response:
        """Repeats a read that failed for a reason which passes: a stale token, a full second.

        A write is never sent twice, whatever the reason: an order is not placed a second time
        because the first answer did not please.
        """
        stale = _token_of(request)
        if response.status_code == 401 and stale and self.renew is not None:
            request.headers["authorization"] = f"Bearer {await self.renew(stale)}"
        elif response.status_code == 429:
            await self._pacer.back_off(request.url.path)
        else:
            return response

        return await self._exchange(request)

    async def _exchange(self, request: httpx2.Request) -> httpx2.Response:
        if self.revoked is not None:
            raise self.revoked.with_traceback(None)

        if self.ended:
            raise BrokerUnavailable("this session has ended, the next request opens a new one")

        path = request.url.path
        await self._pacer.turn(path)
        self.requests += 1
        try:
            async with asyncio.timeout(self._longest):
                response = await self._pool.handle_async_request(self._addressed(request))
                if response.status_code != SWITCHING_PROTOCOLS:
                    # Read here, so that a trickling body is bounded as well.
                    await response.aread()
        except TimeoutError as late:
            raise BrokerTimeout(path) from late
        except httpx2.RequestError as failure:
            raise unreachable(failure, path) from failure

        return response

    def _addressed(self, request: httpx2.Request) -> httpx2.Request:
        base = self._hosts.moved.get(request.url.host)
        if base is None:
            if self._hosts.only and request.url.host not in self._hosts.only:
                raise BrokerUnavailable(f"{request.url.host} is not part of the simulation")

            return request

        target = httpx2.URL(base)
        raw_path = target.raw_path.rstrip(b"/") + request.url.raw_path
        moved = target.copy_with(raw_path=raw_path.rstrip(b"/") or b"/")
        request.headers["host"] = moved.netloc.decode()
        return httpx2.Request(
            request.method,
            moved,
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )

    def _refused(self, refusal: Refusal) -> Exception:
        error = explain(refusal)
        error.__cause__ = refusal
        if isinstance(error, GrantRevoked):
            if self.revoked is None and self.on_revoked is not None:
                self.on_revoked(error)

            self.revoked = error

        if refusal.status == 406:
            log.error("the broker no longer serves this version of its API", status=406)

        return error


def _token_of(request: httpx2.Request) -> str:
    """Returns the access token with which a request was sent; empty for a login."""
    return str(request.headers.get("authorization", "")).removeprefix("Bearer ")


def _check_readable(path: str, response: httpx2.Response) -> None:
    """Raises BrokerUnreadable for a success that the SDK would stumble over."""
    body = response.content
    if path == LOGIN_PATH:
        try:
            token = orjson.loads(body).get("access_token")
        except (orjson.JSONDecodeError, AttributeError):
            token = None

        if not isinstance(token, str):
            raise BrokerUnreadable("login without an access token")

    elif body[:1].strip() not in (b"{", b"[", b""):
        raise BrokerUnreadable(f"HTTP {response.status_code}, no JSON")
