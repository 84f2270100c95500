"""Where the socket of the admin pages lies."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

from server.edge.admin_socket import admin_socket


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def bound(path: Path) -> socket.socket:
    one = socket.socket(socket.AF_UNIX)
    one.bind(str(path))
    one.listen()
    return one


def test_it_lies_in_the_folder_which_becomes_private(tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    folder.mkdir(mode=0o755)
    with admin_socket(folder) as path, bound(path):
        assert path == folder / "admin.sock"
        assert mode(folder) == 0o700

    assert not path.exists()


def test_a_folder_whose_path_is_too_long_gets_a_short_one(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100) / ("y" * 100)
    with admin_socket(folder) as path, bound(path):
        assert len(str(path)) < 100
        assert mode(path.parent) == 0o700
        assert folder not in path.parents

    assert not path.parent.exists()


def test_what_a_killed_gateway_left_is_no_hindrance(tmp_path: Path) -> None:
    with admin_socket(tmp_path) as path:
        bound(path).close()
        assert path.exists()

    bound(path).close()
    with admin_socket(tmp_path) as again, bound(again):
        assert again == path


def test_a_gateway_that_runs_from_the_same_folder_keeps_its_socket(tmp_path: Path) -> None:
    with admin_socket(tmp_path) as first, bound(first), admin_socket(tmp_path) as second:
        assert second != first
        assert first.exists()
