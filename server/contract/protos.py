"""Compiles the protos with the compiler of grpcio-tools, and judges them with buf.

No remote module is fetched: google/api comes from the installed googleapis-common-protos, which
protoc finds by its path, and buf by a link in the git-ignored folder `.vendor/`.
"""

from __future__ import annotations

__all__ = ["ROOT", "breaking", "compile_protos", "format_check", "lint"]

import re
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from google.api import http_pb2

ROOT = Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"
VENDOR = ROOT / ".vendor"


def compile_protos(into: Path) -> None:
    """Writes the Python stubs and `descriptors.pb` (imports and source info) below a folder."""
    from grpc_tools import protoc  # type: ignore[import-untyped] # a development dependency; ships no types

    sources = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob("tasty/v1/*.proto"))
    arguments = [
        "protoc",
        f"-I{PROTO}",
        f"-I{_google().parent}",
        f"-I{files('grpc_tools') / '_proto'}",
        f"--python_out={into}",
        f"--pyi_out={into}",
        f"--grpc_python_out={into}",
        f"--descriptor_set_out={into / 'descriptors.pb'}",
        "--include_imports",
        "--include_source_info",
        *sources,
    ]

    if protoc.main(arguments) != 0:
        raise SystemExit("protoc refused the protos; its words are above.")

    for stub in into.rglob("*_pb2_grpc.py"):
        if not stub.name.endswith("_service_pb2_grpc.py"):
            stub.unlink()  # protoc writes one for each file; without a service it holds nothing

    for types in into.rglob("*_pb2.pyi"):
        # protoc calls the numbers of extensions class variables, which type checkers refuse.
        text = types.read_text()
        types.write_text(re.sub(r"(?m)^(\w+): _ClassVar\[int\]$", r"\1: int", text))


def lint() -> list[str]:
    """Answers what `buf lint` finds, one finding a line; nothing when all is well."""
    return _buf("lint")


def format_check() -> list[str]:
    """Answers the difference that `buf format` would make; nothing when all is well."""
    return _buf("format", "proto", "--diff", "--exit-code")


def breaking(against: str = "main") -> list[str]:
    """Answers what breaks clients of the protos of another git revision (wire and JSON names).

    Nothing is compared, and nothing found, where that revision does not exist or has no protos: a
    fresh repository, a shallow clone, an archive without git.
    """
    if _git("cat-file", "-e", f"{against}:proto").returncode != 0:
        return []

    archive = _git("archive", "--format=tar", against, "proto", "buf.yaml")

    if archive.returncode != 0:
        return []

    with tempfile.TemporaryDirectory(prefix="tasty-breaking-") as folder:
        old = Path(folder)
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)  # noqa: S603, S607 - our own archive
        (old / ".vendor").mkdir()
        (old / ".vendor" / "google").symlink_to(_google(), target_is_directory=True)

        return _buf("breaking", "--against", folder)


def _buf(*arguments: str) -> list[str]:
    _link_google()
    buf = Path(sys.executable).with_name("buf")
    done = subprocess.run(  # noqa: S603 - our own arguments
        [str(buf if buf.exists() else "buf"), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    if done.returncode == 0:
        return []

    return [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603 - our own arguments
        ["git", *arguments],  # noqa: S607 - wherever git is
        cwd=ROOT,
        capture_output=True,
        check=False,
    )


def _google() -> Path:
    return Path(http_pb2.__file__).parents[1]


def _link_google() -> None:
    link = VENDOR / "google"
    target = _google()

    if link.is_symlink() and link.resolve() == target.resolve():
        return

    VENDOR.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(target, target_is_directory=True)
