"""The gateway: one protobuf contract in front of a tastytrade account, for many tenants.

`gen/` is a source root of its own (`import tasty.v1...`), so it is put on the path here: then
`python -m server` works in a bare checkout, with nothing installed but the dependencies.
"""

from __future__ import annotations

__all__ = ["__version__"]

import sys
from pathlib import Path

__version__ = "0.1.0"

_GEN = str(Path(__file__).resolve().parent.parent / "gen")
if _GEN not in sys.path:
    sys.path.insert(0, _GEN)
