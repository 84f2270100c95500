"""Judges the protos with buf: lint, format, and what breaks clients.

    python -m server.contract.lint [--against REVISION]

No remote module is fetched: what our protos import of Google's is in `proto/google/`.
"""

from __future__ import annotations

__all__ = ["breaking", "format_check", "lint", "main"]

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from server.contract.protos import ROOT

GOOGLE = Path("proto") / "google"
BASES = ("origin/main", "main")
"""Where clients' protos come from; the first that exists is compared with."""


def lint(root: Path = ROOT) -> list[str]:
    """Answers what `buf lint` finds, one finding a line; nothing when all is well."""
    return _buf(root, "lint")


def format_check(root: Path = ROOT) -> list[str]:
    """Answers the difference that `buf format` would make; nothing when all is well."""
    return _buf(root, "format", "--path", "proto/tasty", "--diff", "--exit-code")


def breaking(against: str | None = None, root: Path = ROOT) -> list[str]:
    """Answers what breaks clients of the protos of another git revision (wire and JSON names).

    Nothing is compared, and nothing found, where no such revision exists or it has no protos: a
    fresh repository, a shallow clone, an archive without git.
    """
    bases = BASES if against is None else (against,)
    base = next((each for each in bases if _has_protos(root, each)), None)

    if base is None:
        return []

    archive = _git(root, "archive", "--format=tar", base, "proto")

    with tempfile.TemporaryDirectory(prefix="tasty-breaking-") as folder:
        tar = ["tar", "-x", "-C", folder]
        subprocess.run(tar, input=archive.stdout, check=True)  # noqa: S603 - our own archive
        # Our rules of today, and Google's protos, which older revisions do not have.
        shutil.copy(root / "buf.yaml", folder)
        shutil.copytree(root / GOOGLE, Path(folder) / GOOGLE, dirs_exist_ok=True)
        return _buf(root, "breaking", "--against", folder)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m server.contract.lint", description=__doc__)
    parser.add_argument("--against", metavar="REVISION", help="compare with this git revision")
    options = parser.parse_args(arguments)
    findings = [*lint(), *format_check(), *breaking(options.against)]
    print("\n".join(findings) or "the protos are in order", file=sys.stderr)  # noqa: T201 - a command line
    return 1 if findings else 0


def _buf(root: Path, *arguments: str) -> list[str]:
    buf = Path(sys.executable).with_name("buf")
    done = subprocess.run(  # noqa: S603 - our own arguments
        [str(buf if buf.exists() else "buf"), *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )

    if done.returncode == 0:
        return []

    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return lines or [f"buf {arguments[0]} failed and said nothing"]


def _has_protos(root: Path, revision: str) -> bool:
    return _git(root, "cat-file", "-e", f"{revision}:proto").returncode == 0


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603 - our own arguments
        ["git", *arguments],  # noqa: S607 - wherever git is
        cwd=root,
        capture_output=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
