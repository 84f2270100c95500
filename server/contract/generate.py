"""Writes `gen/` from the protos, or tells what in it is stale.

    python -m server.contract.generate [--check]

Everything is made in a folder of its own first, so a failure leaves `gen/` as it was.
"""

from __future__ import annotations

__all__ = ["GEN", "main", "produce", "stale"]

import argparse
import difflib
import json
import sys
import tempfile
import tomllib
from pathlib import Path

from server.contract.catalog import Contract
from server.contract.edge import descriptors_for_envoy
from server.contract.examples import load_examples
from server.contract.openapi import document
from server.contract.protos import ROOT, compile_protos
from server.contract.tools import manifest

GEN = ROOT / "gen"


def produce(into: Path) -> None:
    """Makes the whole of `gen/` below a folder."""
    compile_protos(into)
    contract = Contract.of((into / "descriptors.pb").read_bytes())
    (into / "envoy.pb").write_bytes(descriptors_for_envoy(contract))
    _write_json(into / "tools.json", manifest(contract))
    _write_json(
        into / "openapi.json", document(contract, version=_version(), examples=load_examples())
    )


def stale(fresh: Path) -> list[str]:
    """Answers how `gen/` differs from a folder made by `produce`, in lines for people."""
    wanted, present = _contents(fresh), _contents(GEN)
    lines = [f"missing: gen/{name}" for name in sorted(wanted.keys() - present.keys())]
    lines += [f"not generated: gen/{name}" for name in sorted(present.keys() - wanted.keys())]

    for name in sorted(wanted.keys() & present.keys()):
        if wanted[name] != present[name]:
            lines.append(f"stale: gen/{name}")
            lines += _difference(present[name], wanted[name])

    return lines


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m server.contract.generate", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail when gen/ is stale"
    )
    options = parser.parse_args(arguments)

    with tempfile.TemporaryDirectory(prefix="tasty-gen-") as folder:
        fresh = Path(folder)
        produce(fresh)

        if options.check:
            lines = stale(fresh)
            print("\n".join(lines) or "gen/ is fresh", file=sys.stderr)  # noqa: T201 - a command line
            return 1 if lines else 0

        _replace(fresh)

    return 0


def _write_json(target: Path, content: object) -> None:
    target.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _difference(old: bytes, new: bytes, shown: int = 12) -> list[str]:
    try:
        before, after = old.decode().splitlines(), new.decode().splitlines()
    except UnicodeDecodeError:
        return [f"  {len(old)} bytes, should be {len(new)}"]

    lines = list(difflib.unified_diff(before, after, lineterm="", n=0))[2:]
    more = [f"  … and {len(lines) - shown} lines more"] if len(lines) > shown else []
    return [f"  {line[:160]}" for line in lines[:shown]] + more


def _replace(fresh: Path) -> None:
    wanted, present = _contents(fresh), _contents(GEN)

    for name in present.keys() - wanted.keys():
        (GEN / name).unlink()

    for name, content in wanted.items():
        if present.get(name) == content:
            continue  # untouched, so that build tools that look at times stay quiet

        target = GEN / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
