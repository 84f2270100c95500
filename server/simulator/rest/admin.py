"""Serves `/_admin`: faults, tokens and grants. It is no part of the broker and open to anyone.

It asks for no token because a simulator holds nothing worth protecting; do not expose its port.
"""

from __future__ import annotations

__all__ = ["routes"]

from dataclasses import asdict
from typing import Any

import orjson
from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import BrokerError, reply
from server.simulator.faults import KINDS, Fault, parse_fault
from server.simulator.rest.queries import read_id


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the routes by which a test or a person controls the simulator."""
    handlers = _AdminHandlers(broker)
    return [
        web.get("/_admin/faults", handlers.list_faults),
        web.post("/_admin/faults", handlers.add_faults),
        web.delete("/_admin/faults", handlers.clear_faults),
        web.delete("/_admin/faults/{number:[0-9]+}", handlers.remove_fault),
        web.post("/_admin/tokens/expire", handlers.expire_tokens),
        web.post("/_admin/grants/revoke", handlers.revoke_grant),
        web.post("/_admin/grants/restore", handlers.restore_grant),
    ]


class _AdminHandlers:
    """Handles the routes of this file."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def list_faults(self, _: web.Request) -> web.Response:
        faults = [
            _make_fault_json(number, each) for number, each in self._broker.faults.items().items()
        ]
        return reply({"faults": faults, "kinds": KINDS})

    async def add_faults(self, request: web.Request) -> web.Response:
        """Adds one fault or a list of faults; all or none."""
        body = await _read_json(request)
        faults = [parse_fault(each) for each in (body if isinstance(body, list) else [body])]
        return reply({"ids": [self._broker.faults.add(each) for each in faults]}, 201)

    async def clear_faults(self, _: web.Request) -> web.Response:
        self._broker.faults.clear()
        return reply({"faults": []})

    async def remove_fault(self, request: web.Request) -> web.Response:
        number = read_id(request, "number")
        if number is None or not self._broker.faults.remove(number):
            raise BrokerError(404, "not_found", "That fault has fired, or never was.")

        return await self.list_faults(request)

    async def expire_tokens(self, request: web.Request) -> web.Response:
        """Expires tokens: `{"kind": "access" | "quote", "customer": id or absent}`."""
        body = await _read_object(request)
        expire = {
            "access": self._broker.oauth.expire_access_tokens,
            "quote": self._broker.oauth.expire_quote_tokens,
        }.get(str(body.get("kind", "access")))
        if expire is None:
            raise BrokerError(400, "invalid_kind", "kind is access or quote.")

        return reply({"expired": expire(body.get("customer"))})

    async def revoke_grant(self, request: web.Request) -> web.Response:
        """Revokes the grant of a `{"refresh_token": text}`."""
        self._broker.oauth.revoke(_read_refresh_token(await _read_object(request)))
        return reply({"revoked": True})

    async def restore_grant(self, request: web.Request) -> web.Response:
        """Restores the grant of a `{"refresh_token": text}`."""
        self._broker.oauth.restore(_read_refresh_token(await _read_object(request)))
        return reply({"revoked": False})


async def _read_json(request: web.Request) -> Any:
    try:
        return orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise BrokerError(400, "invalid_json", "The body is not valid JSON.") from error


async def _read_object(request: web.Request) -> dict[str, Any]:
    body = await _read_json(request)
    if not isinstance(body, dict):
        raise BrokerError(400, "invalid_json", "The body is not an object.")

    return body


def _read_refresh_token(body: dict[str, Any]) -> str:
    token = body.get("refresh_token")
    if not isinstance(token, str) or not token:
        raise BrokerError(400, "invalid_json", "refresh_token is missing.")

    return token


def _make_fault_json(number: int, fault: Fault) -> dict[str, Any]:
    return {"id": number} | asdict(fault) | {"delay": fault.delay.total_seconds()}
