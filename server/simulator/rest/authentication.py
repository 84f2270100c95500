"""Serves `/oauth/token`, `/sessions/validate`, `/customers/{id}` and `/api-quote-tokens`."""

from __future__ import annotations

__all__ = ["routes"]

from typing import Any

import orjson
from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.customers import Customer
from server.simulator.envelope import BrokerError, envelope, reply
from server.simulator.oauth import OAuthError


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the routes of tokens and of the customer."""
    handlers = _AuthenticationHandlers(broker)
    return [
        web.post("/oauth/token", handlers.grant_token),
        web.post("/sessions/validate", handlers.validate_session),
        web.get("/customers/{customer_id}", handlers.get_customer),
        web.get("/api-quote-tokens", handlers.create_quote_token),
        web.get("/health", handlers.check_health),
    ]


class _AuthenticationHandlers:
    """Handles the routes of this file."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def grant_token(self, request: web.Request) -> web.Response:
        return reply(self._broker.oauth.grant(await _read_form(request)))

    async def validate_session(self, request: web.Request) -> web.Response:
        customer: Customer = request["customer"]
        data = {
            "email": _make_email(customer),
            "username": customer.user_id,
            "external-id": customer.user_id,
            "id": customer.number,
        }
        return reply(envelope(data, request.path), 201)

    async def get_customer(self, request: web.Request) -> web.Response:
        customer: Customer = request["customer"]
        if request.match_info["customer_id"] not in ("me", customer.id):
            raise BrokerError(403, "not_permitted", "User not permitted access")

        return reply(envelope(_make_person_json(customer, self._broker), request.path))

    async def create_quote_token(self, request: web.Request) -> web.Response:
        token, issued_at, expires_at = self._broker.oauth.quote_token(request["customer"])
        # The address that the client used, so that a proxy or a container name works.
        scheme = (
            "wss" if request.headers.get("X-Forwarded-Proto", request.scheme) == "https" else "ws"
        )
        data = {
            "token": token,
            "dxlink-url": f"{scheme}://{request.host}/dxlink",
            "websocket-url": f"{scheme}://{request.host}/dxlink",
            "level": "api",
            "issued-at": issued_at,
            "expires-at": expires_at,
        }
        return reply(envelope(data, request.path))

    async def check_health(self, request: web.Request) -> web.Response:
        return reply({"status": "ok"})


async def _read_form(request: web.Request) -> dict[str, Any]:
    # RFC 6749 asks for a form; the broker's own examples and clients send JSON. Both work.
    if request.content_type == "application/json":
        try:
            body = orjson.loads(await request.read())
        except orjson.JSONDecodeError as error:
            raise OAuthError(400, "invalid_request", "Body is not valid JSON") from error

        if not isinstance(body, dict):
            raise OAuthError(400, "invalid_request", "Body must be an object")

        return body

    try:
        return dict(await request.post())
    except (ValueError, LookupError) as error:
        # The body does not match its content type or charset.
        raise OAuthError(400, "invalid_request", "Body is not a valid form") from error


def _make_email(customer: Customer) -> str:
    return f"{customer.user_id.lower()}@example.com"


def _make_person_json(customer: Customer, broker: Broker) -> dict[str, Any]:
    address = {
        "city": "Chicago",
        "country": "USA",
        "is-domestic": True,
        "is-foreign": False,
        "postal-code": "60607",
        "state-region": "IL",
        "street-one": "1 Simulated Street",
    }
    return {
        "id": customer.id,
        "first-name": customer.first_name,
        "last-name": customer.last_name,
        "address": address,
        "mailing-address": address,
        "is-foreign": False,
        "regulatory-domain": "USA",
        "usa-citizenship-type": "Citizen",
        "mobile-phone-number": "+15555550100",
        "birth-date": "1980-01-01",
        "email": _make_email(customer),
        "external-id": customer.user_id,
        "user-id": customer.user_id,
        "citizenship-country": "USA",
        "tax-number-type": "SSN",
        "tax-number": "*****0000",
        "agreed-to-margining": True,
        "agreed-to-terms": True,
        "subject-to-tax-withholding": False,
        "has-industry-affiliation": False,
        "has-institutional-assets": False,
        "has-listed-affiliation": False,
        "has-political-affiliation": False,
        "has-delayed-quotes": False,
        "has-pending-or-approved-application": True,
        "identifiable-type": "Person",
        "is-professional": False,
        "is-investment-adviser": False,
        "permitted-account-types": [
            {
                "name": "Individual",
                "description": "Account of one person",
                "is-tax-advantaged": False,
                "has-multiple-owners": False,
                "is-publicly-available": True,
                "margin-types": [
                    {"name": "Margin", "is-margin": True},
                    {"name": "Cash", "is-margin": False},
                ],
            }
        ],
        "person": {
            "external-id": customer.user_id,
            "first-name": customer.first_name,
            "last-name": customer.last_name,
            "birth-date": "1980-01-01",
            "citizenship-country": "USA",
            "usa-citizenship-type": "Citizen",
            "marital-status": "SINGLE",
            "number-of-dependents": 0,
            "employment-status": "EMPLOYED",
            "occupation": "Tester",
            "employer-name": "Simulated",
            "job-title": "Tester",
        },
        "created-at": "2020-01-02T15:00:00.000+00:00",
    }
