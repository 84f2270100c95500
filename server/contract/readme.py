"""Writes the tables of README.md from what they describe: the contract, the settings, the errors.

    python -m server.contract.readme [--check]

A table stands between two comments that name it; everything else in the README is written by hand.
"""

from __future__ import annotations

__all__ = ["main", "tables"]

import argparse
import re
import sys
from collections.abc import Iterable, Mapping

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from server.contract.catalog import Contract, Effect, load
from server.contract.error_samples import samples
from server.contract.protos import ROOT
from server.settings import Settings

README = ROOT / "README.md"
EFFECTS: Mapping[Effect, str] = {
    Effect.READS: "reads",
    Effect.REPEATABLE: "changes, repeatable",
    Effect.ONCE: "changes, once",
}


def tables() -> dict[str, str]:
    """Returns each table by the name that it has in the README."""
    contract = load()
    return {
        "services": _services(contract),
        "settings": _settings(),
        "errors": _errors(contract),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m server.contract.readme", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when stale")
    options = parser.parse_args(arguments)
    old = README.read_text(encoding="utf-8")
    new = old
    for name, table in tables().items():
        new = _replaced(new, name, table)
    if options.check:
        verdict = "README.md is stale: make gen" if new != old else "README.md is fresh"
        print(verdict, file=sys.stderr)  # noqa: T201 - a command line
        return 1 if new != old else 0

    README.write_text(new, encoding="utf-8")
    return 0


def _services(contract: Contract) -> str:
    rows = []
    for method in contract.methods:
        http = method.http
        rest = f"`{http.verb.upper()} {http.path}`" if http else "gRPC only"
        shape = " (stream)" if method.streams else ""
        service = method.service.rsplit(".", 1)[-1].removesuffix("Service")
        rows.append((f"`{service}.{method.name}`{shape}", rest, EFFECTS[method.effect]))
    return _table(("rpc", "REST", "effect"), rows)


def _settings() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(field.json_schema_extra, dict):  # a word for what the machine decides
            default = field.json_schema_extra.get("default", default)

        if isinstance(default, SecretStr) or default is PydanticUndefined or default == "":
            shown = ""
        else:
            shown = f"`{default}`"
        variable = field.validation_alias or f"TASTY_{name.upper()}"
        rows.append((f"`{variable}`", shown, field.description or ""))
    return _table(("variable", "default", "meaning"), rows)


def _errors(contract: Contract) -> str:
    rows = [
        (str(sample.status), f"`{sample.reason.removeprefix('ERROR_REASON_')}`", sample.sentence)
        for sample in samples(contract)
    ]
    return _table(("status", "reason", "for example"), rows)


def _table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    headers = tuple(headers)
    lines = [_row(headers), _row("---" for _ in headers)]
    lines += [_row(row) for row in rows]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _replaced(text: str, name: str, table: str) -> str:
    begin, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
    found = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not found.search(text):
        raise SystemExit(f"README.md has no place for the table of {name}: {begin} {end}")
    return found.sub(lambda _: f"{begin}\n{table}\n{end}", text)


if __name__ == "__main__":
    sys.exit(main())
