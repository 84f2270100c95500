"""The certificates that foreign hosts are checked with, read once.

Reading those of the system takes twenty milliseconds and a megabyte, which every HTTP client would
else do anew, also one that only ever meets the simulator.
"""

from __future__ import annotations

__all__ = ["trusted"]

import ssl
from functools import cache

import httpx2


@cache
def trusted() -> ssl.SSLContext:
    """Returns the context for clients, as the HTTP library makes it: host names are checked too."""
    return httpx2.create_ssl_context()
