"""Every command of README.md runs as it stands there, and answers with the fields that are shown.

Only the address is replaced: tests run beside each other on ports of their own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.stack import HOME, Gateway

README = (HOME / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL
)
ADDRESS = "127.0.0.1:8000"
ENDLESS = ("curl -N", "StreamQuotes")
"""What runs until somebody stops it."""
ENDLESS_S = 8
LIMIT_S = 60
MADE_ELSEWHERE = "make "
"""`make run` stays up, and the fixture has started what it starts: here its recipe is read only."""
INITIALIZE = (
    '{"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {'
    '"protocolVersion": "2025-06-18", "capabilities": {},'
    ' "clientInfo": {"name": "a test", "version": "1"}}}\n'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A block of code, and the JSON that the README shows as its answer ("" if none)."""

    language: str
    text: str
    answer: str

    @property
    def endless(self) -> bool:
        return any(each in self.text for each in ENDLESS)


def examples(text: str) -> list[Example]:
    found: list[Example] = []
    for block in BLOCK.finditer(text):
        code = textwrap.dedent(block["indent"] + block["text"].removeprefix(block["indent"]))
        if block["language"] == "json":
            asked = found.pop()
            assert not asked.answer, "an answer without a command"
            found.append(Example(language=asked.language, text=asked.text, answer=code))
        else:
            found.append(Example(language=block["language"], text=code, answer=""))

    return found


EXAMPLES = examples(README)


def run(example: Example, gateway: Gateway, given: str = "") -> str:
    """Returns what the example prints; fails unless it ends well, or goes on if it is endless.

    `given` is its standard input.
    """
    text = example.text.replace(ADDRESS, gateway.target)
    text = text.replace(".venv/bin/python", sys.executable)
    command = ["bash", "-euo", "pipefail", "-c", text]
    if example.language == "python":
        command = [sys.executable, "-c", text]

    env = {**os.environ, "PYTHONPATH": f"{HOME}:{HOME / 'gen'}", "TASTY_GATEWAY_URL": gateway.url}
    limit = ENDLESS_S if example.endless else LIMIT_S
    with subprocess.Popen(
        command,
        cwd=HOME,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(given, timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, _ = process.communicate()
            assert example.endless, f"still running after {limit} s: {out}"
            return out

    assert not example.endless, f"it ended: {out}{err}"
    assert process.returncode == 0, err
    return out


def names(value: Any) -> set[str]:
    """Returns every name in a JSON value, however deep."""
    if isinstance(value, dict):
        return set(value).union(*map(names, value.values()))

    if isinstance(value, list):
        return set().union(*map(names, value))

    return set()


def label(example: Example) -> str:
    return example.text.strip().splitlines()[0][:60]


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 200


def test_all_blocks_are_known() -> None:
    assert README.count("```") == 2 * len(BLOCK.findall(README)) + 2, "one more: the picture"
    assert {example.language for example in EXAMPLES} == {"bash", "python"}


@pytest.mark.parametrize(
    "example", [each for each in EXAMPLES if MADE_ELSEWHERE not in each.text], ids=label
)
def test_a_command_does_what_is_shown(example: Example, gateway: Gateway) -> None:
    for tool in ("grpcurl", "curl"):
        if re.search(rf"\b{tool} ", example.text) and shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")

    mcp = "server mcp" in example.text
    out = run(example, gateway, given=INITIALIZE if mcp else "")
    assert out.strip(), "nothing was printed"
    if mcp:
        assert json.loads(out)["result"]["serverInfo"]

    if example.answer:
        shown = set(re.findall(r'"(\w+)":', example.answer))
        assert shown <= names(json.loads(out))


@pytest.mark.parametrize(
    "example", [each for each in EXAMPLES if MADE_ELSEWHERE in each.text], ids=label
)
def test_make_starts_what_the_tests_start(example: Example) -> None:
    command = example.text.replace("make ", "make --dry-run ")
    said = subprocess.run(["bash", "-c", command], cwd=HOME, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert "-m server up" in said.stdout


@pytest.mark.parametrize(
    "page",
    [
        path
        for path in (*HOME.glob("*.md"), *(HOME / "docs").rglob("*.md"))
        if path.name != "CHANGELOG.md"
    ],
    ids=lambda path: str(path.relative_to(HOME)),
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith(("http", "mailto:")):
            continue

        file, _, anchor = target.partition("#")
        other = (page.parent / file) if file else page
        assert other.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", other.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", each).lower().replace(" ", "-") for each in headings}
            assert anchor in slugs, target
