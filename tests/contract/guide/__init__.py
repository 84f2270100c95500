"""Requests and replies that the guide shows, one JSON file an rpc: they must fit for ever.

A file has `query`, `body` and `reply`, each where the guide has one. Not to be edited.
"""

from __future__ import annotations

__all__ = ["load_guide"]

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent


def load_guide() -> Mapping[str, Mapping[str, Any]]:
    """Reads the samples, by the name of their rpc."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(FOLDER.glob("*.json"))
    }
