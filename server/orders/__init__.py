"""Validates, prices, limits and submits orders, each once, and follows what becomes of them.

A draft (what a caller asked for) becomes a spec (what is sent, with nothing left to decide), the
spec a row of the order journal, and only the row a request to the broker. The agent does not import
this package: it trades through rpcs, as every client does.
"""

from __future__ import annotations
