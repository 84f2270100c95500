"""How hard the searching tests look: `TASTY_LONG=1` for the whole of it, or a larger number.

Without it they take what finds most in the seconds that `make test` has.
"""

from __future__ import annotations

__all__ = ["LONG"]

import os

LONG = int(os.environ.get("TASTY_LONG") or 0)
"""0 in `make test`."""
