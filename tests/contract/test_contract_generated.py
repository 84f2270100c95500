"""`gen/` is what the protos make, and buf has nothing to say about them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from google.api import http_pb2

from server.contract import generate, lint
from server.contract.protos import ROOT


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gen")
    generate.produce(folder)
    return folder


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The protos and their rules in a place of their own, to be spoiled."""
    shutil.copytree(ROOT / "proto", tmp_path / "proto")
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    return tmp_path


def spoil(copy: Path, file: str, old: str, new: str) -> None:
    path = copy / "proto" / "tasty" / "v1" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_protos_of_google_are_those_of_the_installed_package() -> None:
    vendored = sorted((ROOT / "proto" / "google").rglob("*.proto"))
    installed = Path(http_pb2.__file__).parents[2]

    assert [path.stem for path in vendored] == ["annotations", "field_behavior", "http"]
    for path in vendored:
        assert path.read_bytes() == (installed / path.relative_to(ROOT / "proto")).read_bytes()


def test_buf_builds_a_fresh_clone(copy: Path) -> None:
    buf = Path(sys.executable).with_name("buf")
    done = subprocess.run([buf, "build"], cwd=copy, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_gen_is_fresh(fresh: Path) -> None:
    assert generate.stale(fresh) == []


def test_generation_is_deterministic(fresh: Path, tmp_path: Path) -> None:
    generate.produce(tmp_path)
    again = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    first = {p.relative_to(fresh): p.read_bytes() for p in fresh.rglob("*") if p.is_file()}
    assert again == first


def test_a_stale_file_a_missing_one_and_a_stranger_are_named(fresh: Path, tmp_path: Path) -> None:
    shutil.copytree(fresh, tmp_path / "gen")
    (tmp_path / "gen" / "tools.json").write_text("[]\n")
    (tmp_path / "gen" / "envoy.pb").unlink()
    (tmp_path / "gen" / "tasty" / "v1" / "new_pb2.py").write_text("")

    lines = generate.stale(tmp_path / "gen")

    assert "stale: gen/tools.json" in lines
    assert "not generated: gen/envoy.pb" in lines
    assert "missing: gen/tasty/v1/new_pb2.py" in lines


def test_no_file_names_a_place_of_the_machine_that_made_it(fresh: Path) -> None:
    for path in fresh.rglob("*"):
        if path.is_file():
            assert str(ROOT).encode() not in path.read_bytes(), path.name
            assert str(fresh).encode() not in path.read_bytes(), path.name


def test_lint_and_format_find_nothing() -> None:
    assert lint.lint() == []
    assert lint.format_check() == []


def test_lint_finds_a_missing_comment(copy: Path) -> None:
    spoil(copy, "quote.proto", "  // The same as event_symbol.\n", "")
    assert any("quote.proto" in line and "comment" in line for line in lint.lint(copy))


def test_format_finds_a_crooked_line(copy: Path) -> None:
    spoil(copy, "quote.proto", "  bool stale", "      bool stale")
    assert lint.format_check(copy) != []


def test_breaking_finds_a_renamed_field_and_lets_a_new_one_pass(copy: Path) -> None:
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(copy)]

    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True)

    spoil(
        copy,
        "quote.proto",
        "  bool stale = 17;",
        "  bool stale = 17;\n  // New.\n  bool fresh = 18;",
    )
    assert lint.breaking(root=copy) == []

    spoil(copy, "quote.proto", "string source = 16", "string origin = 16")
    assert any("origin" in line for line in lint.breaking(root=copy))


def test_breaking_compares_with_nothing_where_there_is_nothing(copy: Path) -> None:
    assert lint.breaking(root=copy) == []
    assert lint.breaking("no-such-branch", root=copy) == []
