"""Credentials over REST: what a web page of somebody else's could send is refused."""

from __future__ import annotations

import pytest
import requests

from tests.stack import Edge

PATH = "/api/v1/credentials"
BODY = b'{"api_key": "a-key-of-my-own", "client_secret": "s", "refresh_token": "t"}'
RPC = "/tasty.v1.CredentialsService/SaveCredentials"


def saves(edge: Edge) -> int:
    return sum(call.method == RPC for call in edge.backend.calls)


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "text/plain",
        "text/plain; charset=utf-8; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain;application/json",
        "application/jsonp",
    ],
)
@pytest.mark.parametrize("path", [PATH, f"{PATH}?", "/api/v1/cr%65dentials"])
def test_a_body_that_is_not_said_to_be_json_is_refused(
    edge: Edge, http: requests.Session, kind: str | None, path: str
) -> None:
    before = saves(edge)
    headers = {} if kind is None else {"Content-Type": kind}
    request = requests.Request("POST", edge.url, data=BODY, headers=headers).prepare()
    request.url = f"{edge.url}{path}"  # the library would decode it
    answer = http.send(request)
    assert answer.status_code == 400
    assert answer.json() == {"detail": "Send the body as Content-Type: application/json."}
    assert saves(edge) == before


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "Application/JSON ;x=y"]
)
def test_json_is_taken(edge: Edge, http: requests.Session, kind: str) -> None:
    before = saves(edge)
    answer = http.post(f"{edge.url}{PATH}", data=BODY, headers={"Content-Type": kind})
    assert answer.status_code == 200
    assert saves(edge) == before + 1


def test_other_methods_and_routes_need_no_type(edge: Edge, http: requests.Session) -> None:
    assert http.get(f"{edge.url}{PATH}").status_code == 200
    assert http.post(f"{edge.url}/api/v1/chat", data=b'{"message": "hi"}').status_code == 200
