"""How the template becomes a configuration."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from server.edge.config import TEMPLATE, fill_in, reachable, render
from server.edge.routes import Routes, read_routes
from server.settings import Settings

GEN = Path(__file__).parents[3] / "gen"


@pytest.fixture(scope="module")
def routes() -> Routes:
    return read_routes((GEN / "envoy.pb").read_bytes(), (GEN / "descriptors.pb").read_bytes())


def rendered(routes: Routes, **settings: object) -> str:
    made = Settings(**settings)  # type: ignore[arg-type]  # the tests name real ones
    paths = {"admin": Path("/x/admin.sock"), "fullness": Path("/x/fullness")}
    return render(made, routes, descriptors=GEN / "envoy.pb", grpc_port=50051, **paths)


def value(config: str, before: str) -> object:
    """Returns the JSON value that follows `before` on its line."""
    found, _ = json.JSONDecoder().raw_decode(config, config.index(before) + len(before))
    return found


def test_values_cannot_break_out_of_their_place() -> None:
    nasty = 'a"\n- b: {c}'
    assert json.loads(fill_in("${x}", {"x": nasty})) == nasty


def test_a_list_becomes_items_and_an_empty_one_nothing() -> None:
    template = "a:\n  - 0\n  - ${more}\n"
    assert fill_in(template, {"more": [1, {"b": 2}]}) == 'a:\n  - 0\n  - 1\n  - {"b": 2}\n'
    assert fill_in(template, {"more": []}) == "a:\n  - 0\n"


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        fill_in("${nobody}", {})


def test_every_placeholder_is_filled(routes: Routes) -> None:
    assert "${" in TEMPLATE.read_text()
    assert "${" not in rendered(routes)


def test_the_edge_waits_longer_than_the_server(routes: Routes) -> None:
    config = rendered(routes, default_deadline_s=40, chat_timeout_s=100)
    timeouts = dict(re.findall(r"name: (\w+)\n(?:.*\n)?.*?\btimeout: \"?(\w+)", config))
    assert timeouts["calls"] == "45s"
    assert timeouts["orders"] == "160s"
    assert timeouts["chat"] == "105s"
    assert timeouts["streams"] == "0s"


def test_nothing_is_ever_sent_twice(routes: Routes) -> None:
    assert not re.search(r"^\s*[^#]*retry_policy:", rendered(routes), re.MULTILINE)


def test_orders_are_those_with_an_effect(routes: Routes) -> None:
    config = rendered(routes)
    pattern = value(config, "- name: orders\n" + " " * 26 + "match: {safe_regex: {regex: ")
    assert re.fullmatch(str(pattern), "/tasty.v1.OrderService/PlaceOrder")
    assert not re.fullmatch(str(pattern), "/tasty.v1.OrderService/GetOrder")
    assert not re.fullmatch(str(pattern), "/tasty.v1.OrderService/StreamAccountEvents")


@pytest.mark.parametrize(
    ("origins", "expected"),
    [
        ("*", [{"safe_regex": {"regex": ".*"}}]),
        ("https://a.example, https://b.example", [
            {"exact": "https://a.example"},
            {"exact": "https://b.example"},
        ]),
        ("", []),
    ],
)  # fmt: skip  # the list belongs on the line of its origins
def test_origins(routes: Routes, origins: str, expected: list[object]) -> None:
    assert value(rendered(routes, cors_origins=origins), "allow_origin_string_match: ") == expected


def test_tls_only_with_certificate_and_key(routes: Routes, tmp_path: Path) -> None:
    assert "DownstreamTlsContext" not in rendered(routes)
    assert "strict-transport-security" not in rendered(routes)
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    for file in (certificate, key):
        file.touch()
    config = rendered(routes, tls_certificate=certificate, tls_key=key)
    assert "DownstreamTlsContext" in config
    assert f'"{tmp_path}/c.pem"' in config
    assert "strict-transport-security" in config


@pytest.mark.parametrize(
    ("host", "address"), [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.0.0.7", "10.0.0.7")]
)
def test_an_address_to_connect_to(host: str, address: str) -> None:
    assert reachable(host) == address


@pytest.mark.parametrize(
    ("settings", "rate"),
    [
        ({}, 1000),
        ({"rate_limit": 0}, None),
        ({"rate_limit": 0, "edge_address_rate": 50}, 50),
        ({"edge_address_rate": 0}, None),
    ],
)
def test_requests_of_one_address_are_bounded(
    routes: Routes, settings: dict[str, object], rate: int | None
) -> None:
    config = rendered(routes, **settings)
    assert ("local_ratelimit" in config) == (rate is not None)
    if rate is not None:
        bucket = {"max_tokens": 2 * rate, "tokens_per_fill": rate, "fill_interval": "1s"}
        assert json.dumps({"token_bucket": bucket})[1:-1] in config
