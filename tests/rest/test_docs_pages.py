"""The documentation as files: what the edge serves, how it may be kept, what it may load."""

from __future__ import annotations

import re

import pytest
import requests

from tests.stack import Edge

PAGES = ("/docs", "/redoc")
ADDRESS = re.compile(r'(?:src|href)="([^"]+)"')


def assets(html: str) -> list[str]:
    return [found for found in ADDRESS.findall(html) if found.startswith("/assets/")]


@pytest.mark.parametrize("path", ["/docs", "/docs/", "/redoc", "/redoc/", "/docs?deep=link"])
def test_a_page_lets_nothing_foreign_in(edge: Edge, http: requests.Session, path: str) -> None:
    answer = http.get(edge.url + path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "<script>" not in answer.text
    assert "${" not in answer.text
    assert all(found.startswith("/") for found in ADDRESS.findall(answer.text))
    assert not edge.backend.calls


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_needs_is_there_and_kept_for_ever(
    edge: Edge, http: requests.Session, page: str
) -> None:
    needed = assets(http.get(edge.url + page).text)
    assert {each.rpartition(".")[2] for each in needed} == {"js", "css", "svg"}
    kinds = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    for path in needed:
        answer = http.get(edge.url + path)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"].startswith(kinds[path.rpartition(".")[2]])
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.content


def test_scripts_are_compressed(edge: Edge, http: requests.Session) -> None:
    script = next(each for each in assets(http.get(edge.url + "/docs").text) if "bundle" in each)
    packed = http.get(edge.url + script, headers={"accept-encoding": "gzip"}, stream=True)
    assert packed.headers["content-encoding"] == "gzip"
    size = len(packed.raw.read(decode_content=False))
    assert size < len(http.get(edge.url + script).content) / 2


def test_the_root_leads_to_the_docs(edge: Edge, http: requests.Session) -> None:
    answer = http.get(edge.url + "/", allow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["location"].endswith("/docs")
    assert http.get(edge.url + "/").url == edge.url + "/docs"


@pytest.mark.parametrize("path", ["/", "/docs", "/redoc", "/openapi.json"])
def test_other_methods(edge: Edge, http: requests.Session, path: str) -> None:
    got = http.get(edge.url + path, allow_redirects=False, headers={"accept-encoding": "identity"})
    head = http.head(edge.url + path, headers={"accept-encoding": "identity"})
    assert (head.status_code, head.content) == (got.status_code, b"")
    if path != "/":
        assert head.headers["content-length"] == str(len(got.content))
    refused = http.post(edge.url + path, json={})
    assert refused.status_code == 405
    assert refused.headers["allow"] == "GET, HEAD"
    assert refused.json() == {"detail": "Method not allowed. Allowed here: GET, HEAD."}
    assert not edge.backend.calls


@pytest.mark.parametrize(
    "path",
    ["/docs.html", "/assets/", "/assets/docs.js", "/assets/../docs.js", "/redoc/../envoy.yaml"],
)
def test_there_is_nothing_else(edge: Edge, http: requests.Session, path: str) -> None:
    request = requests.Request("GET", edge.url).prepare()
    request.url = edge.url + path
    answer = http.send(request)
    assert answer.status_code == 404
    assert list(answer.json()) == ["detail"]
