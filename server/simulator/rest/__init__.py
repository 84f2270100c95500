"""The REST API, one file a noun; each has `routes(sim)` and is found by being here.

A handler reads `request["customer"]`, returns `reply(envelope(data, request.path))` or
`reply(page(items, request))`, and raises `BrokerError` for every refusal.
"""

from __future__ import annotations
