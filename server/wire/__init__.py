"""Between domain values and messages: pure functions, and nothing else that touches protobuf.

A change of the contract is a change here; the domain below speaks Decimal, date and datetime.
"""

from __future__ import annotations
