"""Serves the REST API, one file per noun; each file with a function `routes(broker)` is loaded.

A handler reads `request["customer"]`, returns `reply(envelope(data, request.path))` or
`reply(paginate(items, request))`, and raises `BrokerError` for every refusal.
"""

from __future__ import annotations
