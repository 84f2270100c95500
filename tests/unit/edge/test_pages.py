"""The routes of the pages: names that follow from content, and nothing that Envoy would refuse."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from server.edge.pages import PAGES, VENDORED, page_routes

LIMIT = 4 * 1024 * 1024
"""What envoy.yaml allows for an answer that Envoy gives by itself."""


def files() -> list[Any]:
    return [route for route in page_routes() if "direct_response" in route]  # type: ignore[operator]  # of JSON


def test_an_asset_is_named_for_its_content() -> None:
    found = 0
    for route in files():
        if named := re.search(r"\.([0-9a-f]{16})\.\w+$", route["name"]):
            content = Path(route["direct_response"]["body"]["filename"]).read_bytes()
            assert hashlib.sha256(content).hexdigest().startswith(named[1])
            found += 1
    assert found >= 7


def test_no_answer_is_larger_than_envoy_takes() -> None:
    for route in files():
        body = route["direct_response"]["body"]
        if "filename" in body:
            assert Path(body["filename"]).stat().st_size < LIMIT, route["name"]


def test_no_name_is_there_twice() -> None:
    names = [route["name"] for route in files()]
    assert len(names) == len(set(names))


def test_the_vendored_files_are_those_that_were_taken() -> None:
    folder = PAGES / "vendor"
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    taken = {name: digest for digest, name in (line.split() for line in lines)}

    assert {f"vendor/{name}" for name in taken} == set(VENDORED)
    for name, digest in taken.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
