"""Requests and replies as they really occur, one JSON file an rpc, for the API description.

A file has `path` and `query` (parameters by name), `body` and `reply`, each where there is one.
They are recorded from a running gateway, not written: `REGENERATE_GOLDEN=1` and
tests/rest/test_docs_examples.py record them anew.
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
