"""What children say is kept as long as there is room, and printed in any case."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from server.supervisor.console import Console, NoFolder


def test_a_full_disk_costs_the_kept_lines_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "server.log").symlink_to("/dev/full")
    out = io.StringIO()
    with Console(tmp_path, out) as console:
        server, edge = console.lines_of("server"), console.lines_of("edge")
        server("one")
        edge("two")
        server("three")

    said = [line.split("│ ")[1] for line in out.getvalue().splitlines()]
    assert said == ["one", "two", "three"]
    assert (tmp_path / "edge.log").read_text() == "two\n"


def test_a_file_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "server.log").mkdir()
    with Console(tmp_path, io.StringIO()) as console, pytest.raises(NoFolder, match="is a dir"):
        console.lines_of("server")
