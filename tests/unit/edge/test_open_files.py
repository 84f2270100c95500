"""How many connections fit under the limit of open files."""

from __future__ import annotations

import resource

import pytest

from server.edge.open_files import connections_held, word_about_connections
from server.settings import Settings


@pytest.mark.parametrize(
    ("files", "held"),
    [
        (1_048_576, 10_000),
        (10_128, 10_000),
        (10_127, 9_999),
        (4096, 3968),
        (256, 128),
        (64, 10),
        (resource.RLIM_INFINITY, 10_000),
    ],
)
def test_connections_fit_under_the_limit(files: int, held: int) -> None:
    settings = Settings()
    assert connections_held(settings, files) == held
    word = word_about_connections(settings, files)
    assert bool(word) == (held < 10_000)
    if word:
        assert f"Only {files} files" in word
        assert f"holds {held} client connections, not 10000" in word
        assert "10128" in word
