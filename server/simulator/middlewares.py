"""Defines the middlewares of every REST call: faults, latency, client rules, login and rate limits.

Their order matters. A fault comes before any rule, because a proxy in front of the broker fails
without knowing who asked; a rate is counted per customer, so it comes last.
"""

from __future__ import annotations

__all__ = ["Middlewares"]

import asyncio
import re
import uuid
import warnings
from collections import Counter
from collections.abc import Sequence

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from server.simulator.clock import SimClock
from server.simulator.envelope import BrokerError, reply
from server.simulator.faults import REST_KINDS, Fault, Faults
from server.simulator.oauth import OAuth, OAuthError
from server.simulator.rate_limits import RateLimits
from server.simulator.settings import SimulatorSettings

ADMIN_PATH = "/_admin"
MODEL_PATH = "/anthropic/"
"""Path of the stand-in for the Messages API, which has keys of its own and is no part of the
broker."""
OPEN_PATHS = {"/oauth/token", "/margin-requirements-public-configuration", "/health"}
"""Paths that need no access token."""

OLDEST_VERSION = "20250101"
"""Oldest version that is served; the broker serves a deprecated version for nine months."""

PREVENTING_KINDS = {
    "status",
    "html",
    "hang",
    "reset",
    "rate-limit",
    "expired-token",
    "revoked-grant",
}
"""REST faults that keep a call from being carried out."""


class Middlewares:
    """Holds the chain of middlewares in front of all REST routes."""

    def __init__(
        self, settings: SimulatorSettings, clock: SimClock, oauth: OAuth, faults: Faults
    ) -> None:
        self.answers: Counter[str] = Counter()
        """Number of answers by status."""

        self._settings = settings
        self._clock = clock
        self._oauth = oauth
        self._faults = faults
        self._limits = RateLimits(clock)
        self._closing = asyncio.Event()

    @property
    def middlewares(self) -> Sequence[Middleware]:
        """The chain, outermost first."""
        return (
            self._count,
            self._delay,
            self._inject_faults,
            self._render_errors,
            self._authenticate,
        )

    def close(self) -> None:
        """Releases the calls that a `hang` fault holds."""
        self._closing.set()

    @web.middleware
    async def _count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        self.answers[str(response.status)] += 1
        return response

    @web.middleware
    async def _delay(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self._settings.latency or request.path.startswith(ADMIN_PATH):
            return await handler(request)

        if _is_upgrade(request):
            # The handler of an upgrade returns only when the connection ends, so the delay comes
            # before it.
            await self._clock.sleep(self._settings.latency)
            return await handler(request)

        # The whole round trip is spent after the call; a client cannot tell the difference.
        response = await handler(request)
        await self._clock.sleep(self._settings.latency)
        return response

    @web.middleware
    async def _inject_faults(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self._faults or request.path.startswith(ADMIN_PATH):
            return await handler(request)

        fault = self._take_fault(request)
        if fault is None:
            return await handler(request)

        if fault.kind == "slow":
            await self._clock.sleep(fault.delay)
            return await handler(request)

        if fault.kind in PREVENTING_KINDS | {"refuse"}:
            return await self._answer_with_fault(request, fault)

        # The call is carried out and only its answer is lost, the worst fault for an order.
        response = await handler(request)
        if fault.kind == "cut-answer" and isinstance(response, web.Response):
            body = response.body if isinstance(response.body, bytes) else b""
            half = web.StreamResponse(
                status=response.status, headers={"Content-Type": response.content_type}
            )
            half.content_length = max(len(body), 1)
            await half.prepare(request)
            await half.write(body[: len(body) // 2])
            _cut_connection(request, gently=True)
            return half

        _cut_connection(request)
        return response

    @web.middleware
    async def _render_errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except OAuthError as error:
            return reply(error.body(), error.status)
        except BrokerError as error:
            return reply(error.body(), error.status)
        except web.HTTPClientError as error:
            code = error.reason.lower().replace(" ", "_")
            return reply(BrokerError(error.status, code, error.reason).body(), error.status)

    @web.middleware
    async def _authenticate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith((ADMIN_PATH, MODEL_PATH)) or _is_upgrade(request):
            return await handler(request)

        if not request.headers.get("User-Agent"):
            # The documentation asks for product/version, yet the broker's own JavaScript client
            # sends a bare name and is served. The proxy in front of the real API refuses with an
            # HTML page.
            return _make_html_page(401, "Authorization Required")

        version = request.headers.get("Accept-Version")
        if version is not None and not (
            re.fullmatch(r"[0-9]{8}", version) and version >= OLDEST_VERSION
        ):
            raise BrokerError(406, "406", f"Version {version} is not supported")

        if request.path not in OPEN_PATHS:
            customer = self._oauth.authenticate(request.headers.get("Authorization"))
            with warnings.catch_warnings():
                # aiohttp prefers a key object; a plain name reads better in 60 handlers.
                warnings.simplefilter("ignore", web.NotAppKeyWarning)
                request["customer"] = customer

            if self._settings.rate_limits:
                self._limits.check(customer, request.method, request.path)

        return await handler(request)

    def _take_fault(self, request: web.Request) -> Fault | None:
        kinds = {"refuse": ""} if _is_upgrade(request) else REST_KINDS
        try:
            customer = self._oauth.authenticate(request.headers.get("Authorization")).id
        except BrokerError:
            customer = ""

        return self._faults.take(kinds, request.path, method=request.method, customer=customer)

    async def _answer_with_fault(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.kind == "hang":
            await self._closing.wait()

        if fault.kind in ("hang", "reset"):
            _cut_connection(request)
            return web.Response(status=502)

        if fault.kind in ("html", "refuse"):
            return _make_html_page(fault.status or 502, fault.message)

        if fault.kind == "revoked-grant":
            return reply(OAuthError(400, "invalid_grant", "Grant revoked").body(), 400)

        if fault.kind == "expired-token":
            error = BrokerError(401, "token_invalid", "This token is invalid or has expired")
        elif fault.kind == "rate-limit":
            error = BrokerError(429, "too_many_requests", "Too many requests")
        else:
            status = fault.status or 500
            sentence = fault.message
            if status >= 500:
                sentence += f" Support identifier: {uuid.uuid4().hex[:12]}"

            error = BrokerError(status, fault.code or "internal_server_error", sentence)

        return reply(error.body(), error.status)


def _is_upgrade(request: web.Request) -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"


def _make_html_page(status: int, title: str) -> web.Response:
    text = (
        f"<html>\r\n<head><title>{status} {title}</title></head>\r\n"
        f"<body>\r\n<center><h1>{status} {title}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    return web.Response(status=status, text=text, content_type="text/html")


def _cut_connection(request: web.Request, *, gently: bool = False) -> None:
    # Gently: data that was written is still sent; otherwise the client gets a reset.
    transport = request.transport
    if transport is None:
        return

    if gently:
        transport.close()
    else:
        transport.abort()
