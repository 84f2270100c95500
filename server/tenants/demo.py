"""Defines the demo tenant, which exists from the start with the simulated broker.

Nothing here is a secret: the simulator knows this refresh token as its demo customer, with the
accounts 5WT00001 and 5WT00002, and no other broker knows it at all.
"""

from __future__ import annotations

__all__ = ["DEMO_API_KEY", "DEMO_CREDENTIALS"]

from server.secret import Secret
from server.tenants.model import Credentials

DEMO_API_KEY = Secret("demo-key")
DEMO_CREDENTIALS = Credentials(
    client_secret=Secret("demo-client-secret"), refresh_token=Secret("demo-refresh-token")
)
