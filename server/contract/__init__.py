"""Reads the compiled contract, and makes from it all that is not written by hand.

Nothing here lists rpcs: a new one in a proto appears everywhere after `make gen`.
"""

from __future__ import annotations
