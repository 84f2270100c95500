"""One servicer a service: unpack, call one method of the domain, pack.

A servicer finds its caller with `current_call()` and leaves gRPC's context alone, which is `None`
when the agent calls. Errors are raised, never turned into statuses here.
"""

from __future__ import annotations
