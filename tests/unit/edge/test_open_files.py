"""How many connections fit under the limit of open files."""

from __future__ import annotations

import resource

import pytest

from server.edge.open_files import Places, places_of, word_about_places
from server.settings import Settings


@pytest.mark.parametrize(
    ("files", "used", "accepted"),
    [
        (1_048_576, 10_000, 42_768),
        (resource.RLIM_INFINITY, 10_000, 42_768),
        (20_128, 10_000, 20_000),
        (13_462, 10_000, 13_334),
        (13_461, 9_999, 13_333),
        (4096, 2976, 3968),
        (256, 96, 128),
        (64, 10, 10),
    ],
)
def test_connections_fit_under_the_limit(files: int, used: int, accepted: int) -> None:
    settings = Settings()
    assert places_of(settings, files) == Places(used=used, accepted=accepted)
    word = word_about_places(settings, files)
    assert bool(word) == (used < 10_000)
    if word:
        assert f"Only {files} files" in word
        assert f"holds {used} client connections, not 10000" in word
        assert "13462 or more" in word


def test_the_word_tells_a_limit_that_does() -> None:
    for wanted in (10, 11, 12, 999, 10_000, 12_345):
        settings = Settings(edge_connections=wanted)
        assert places_of(settings, wanted * 4 // 3 + 129).used == wanted


@pytest.mark.parametrize(("heap_mib", "silent"), [(128, 5461), (768, 32_768), (4096, 65_535)])
def test_silent_connections_cannot_take_all_the_memory(heap_mib: int, silent: int) -> None:
    settings = Settings(edge_heap_mib=heap_mib)
    assert places_of(settings, resource.RLIM_INFINITY).accepted == 10_000 + silent
