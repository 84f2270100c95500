"""The contract of this checkout, and a way to grow it by an rpc that nobody has heard of."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from server.contract.catalog import Contract, load

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def contract() -> Contract:
    return load()


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compares a text with a file that a person has read; REGENERATE_GOLDEN=1 rewrites it."""

    def compare(name: str, text: str) -> None:
        target = GOLDEN / name

        if os.environ.get("REGENERATE_GOLDEN") == "1":
            target.write_text(text, encoding="utf-8")

        assert text == target.read_text(encoding="utf-8"), f"golden/{name} differs"

    return compare
