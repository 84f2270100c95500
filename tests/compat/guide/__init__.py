"""The guide's own examples, word for word, and how they are run.

The files beside this one are the code blocks of the guide. They are not to be edited: only base
URL, key, account, order number and dates are replaced, when a test runs them.
"""

from __future__ import annotations

__all__ = ["Guide", "Ran", "assert_like"]

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILES = Path(__file__).resolve().parent
LIMIT_S = 120
CURLRC = 'silent\nshow-error\nwrite-out = "%{stderr}status %{http_code}\\n"\n'
"""So that a command needs no change for its status to be known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a script did."""

    output: str
    statuses: list[int]
    """Of its curl commands, in their order."""
    code: int

    @property
    def replies(self) -> list[Any]:
        """The JSON documents in the output, one after the other, with what stands between."""
        decoder, at, found = json.JSONDecoder(), 0, []
        while starts := [i for i in (self.output.find(c, at) for c in "{[") if i >= 0]:
            try:
                value, at = decoder.raw_decode(self.output, min(starts))
            except json.JSONDecodeError:
                at = min(starts) + 1
            else:
                found.append(value)
        return found


class Guide:
    """The files of the guide with what has to be filled in."""

    def __init__(self, replacements: Mapping[str, str], *, folder: Path) -> None:
        self._replacements = replacements
        self._folder = folder
        (folder / ".curlrc").write_text(CURLRC)

    def text(self, name: str, **more: str) -> str:
        """Returns a file; `more` replaces what is special to it."""
        text = (FILES / name).read_text(encoding="utf-8")
        for old, new in (*self._replacements.items(), *more.items()):
            text = text.replace(old, new)
        return text

    def reply(self, name: str) -> Any:
        """Returns a reply as the guide shows it, nothing replaced."""
        return json.loads((FILES / f"{name}.json").read_text(encoding="utf-8"))

    def run(self, name: str, **more: str) -> Ran:
        """Runs a file of shell commands."""
        return self.execute(["bash", "-c", self.text(name, **more)])

    def execute(self, command: list[str], **env: str) -> Ran:
        done = subprocess.run(
            command,
            env={**os.environ, "CURL_HOME": str(self._folder), **env},
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        lines = done.stderr.splitlines()
        statuses = [int(line.split()[1]) for line in lines if line.startswith("status ")]
        rest = [line for line in lines if not line.startswith("status ")]
        assert not rest, "\n".join(rest)
        return Ran(output=done.stdout, statuses=statuses, code=done.returncode)


def assert_like(shown: Any, got: Any, where: str = "") -> None:
    """Asserts that `got` has every name that the guide shows, with values of the same JSON type.

    Of a list one element must be like the one shown; what else is there is not looked at.
    """
    if isinstance(shown, dict):
        assert isinstance(got, dict), f"{where}: {got!r}"
        for name, value in shown.items():
            if name[:4].isdigit():  # a map by date: any of its entries
                assert got, f"{where} is empty"
                assert_like(value, next(iter(got.values())), f"{where}.<date>")
            else:
                assert name in got, f"{where}.{name} is missing from {sorted(got)}"
                assert_like(value, got[name], f"{where}.{name}")
    elif isinstance(shown, list):
        assert isinstance(got, list), f"{where}: {got!r}"
        if shown:
            _assert_one_like(shown[0], got, where)
    elif isinstance(shown, (int, float)) and not isinstance(shown, bool):
        assert isinstance(got, (int, float)), f"{where}: {got!r} is no JSON number"
        assert not isinstance(got, bool), f"{where}: {got!r} is no JSON number"
    else:
        assert type(shown) is type(got), f"{where}: {got!r} is not like {shown!r}"
        if isinstance(shown, str) and _is_decimal(shown):
            assert _is_decimal(got), f"{where}: {got!r} is no decimal number"


def _assert_one_like(shown: Any, got: list[Any], where: str) -> None:
    assert got, f"{where} is empty"
    complaints = []
    for each in got:
        try:
            assert_like(shown, each, f"{where}[]")
        except AssertionError as error:
            complaints.append(str(error))
        else:
            return
    raise AssertionError(f"nothing in {where} is like the guide's: {complaints[0]}")


def _is_decimal(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit()
