"""Requests and replies as they really occur, one JSON file an rpc, for documents and tests.

A file has `query` (parameters by name), `body` and `reply`, each where there is one. The guide's
own samples are the base: what it shows must stay valid for ever.
"""

from __future__ import annotations

__all__ = ["load_examples"]

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent


def load_examples() -> Mapping[str, Mapping[str, Any]]:
    """Reads the examples, by the name of their rpc."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(FOLDER.glob("*.json"))
    }
