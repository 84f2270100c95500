"""Orders: what they mean, what they may cost, and that each is placed once.

From a draft (what a caller asked for) comes a spec (what is sent, nothing left to decide), from a
spec a row of the ledger, and only from a row a request to the broker. The agent does not import
this package: it trades through rpcs, as everybody does.
"""

from __future__ import annotations
