"""Stores tenants: API keys as digests, sealed credentials, and the journal of both.

Calls carry a `Tenant`, which holds no secret. Only `Tenants.credentials` returns one, and only the
broker's sessions call it.
"""

from __future__ import annotations

__all__ = [
    "DEMO_API_KEY",
    "ApiKeyEntry",
    "ApiKeyPage",
    "Credentials",
    "Login",
    "LoginStatistics",
    "Tenant",
    "Tenants",
    "TenantsStatistics",
    "generate_api_key",
]

from server.tenants.apikeys import generate_api_key
from server.tenants.demo import DEMO_API_KEY
from server.tenants.logins import Login, LoginStatistics
from server.tenants.model import ApiKeyEntry, ApiKeyPage, Credentials, Tenant
from server.tenants.tenants import Tenants, TenantsStatistics
