"""Fills in the template of the Envoy configuration.

Every value goes in as JSON, which YAML contains, so no value can break out of its place. A
placeholder that is a whole list item (`- ${name}`) becomes one item for each element of its value.
"""

from __future__ import annotations

__all__ = ["fill_in", "reachable", "render"]

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from server.edge.mcp import mcp_filters, mcp_routes, offered_over_http
from server.edge.open_files import places_of
from server.edge.pages import page_routes
from server.edge.routes import Routes
from server.settings import Settings

HOME = Path(__file__).parents[2]
TEMPLATE = HOME / "envoy" / "envoy.yaml"
TLS_TEMPLATE = HOME / "envoy" / "tls.yaml"
SCRIPTS = HOME / "envoy"

FILTER_CONFIG = "type.googleapis.com/envoy.config.route.v3.FilterConfig"
CHAT = "/tasty.v1.ChatService/"
ORDERS = "/tasty.v1.OrderService/"
NOTHING = "a^"
"""A regular expression that matches no text, for an empty list of rpcs."""

SLACK_S = 5.0
"""How much longer than the server's own deadline the edge waits for an answer."""
ORDER_SLACK_S = 120.0
"""The same for orders. Generous: the server knows what became of an order, the edge does not."""

ADDRESS_RATE = 1000.0
"""Requests a second of one address where no setting says otherwise: those of a whole office behind
one router, and not half of what the edge and the server carry on two cores."""
ADDRESSES_KNOWN = 10_000
"""Addresses counted at once; the one that was silent for longest is forgotten first."""
UNBOUNDED = 1_000_000

SOUND_REQUEST_ID = (
    "%CEL(size(request.headers['x-request-id']) < 65"
    " && request.headers['x-request-id'].matches('^[A-Za-z0-9._~-]+$')"
    " ? request.headers['x-request-id'] : '')%"
)
"""The request's id if it may stand in a log line or a header, else nothing (as in RequestId)."""

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
LIST_ITEM = re.compile(r"^( *)- \$\{(\w+)\}\n", re.MULTILINE)
MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """Text that goes in as it is: YAML in flow style, or a part of a quoted text."""

    text: str


def render(
    settings: Settings,
    routes: Routes,
    *,
    descriptors: Path,
    grpc_port: int,
    admin: Path,
    fullness: Path,
) -> str:
    """Returns the configuration with which Envoy serves `routes` in front of `grpc_port`.

    `admin` is the path of the Unix socket for Envoy's admin pages, `fullness` the file that tells
    Envoy which part of its connections is taken.
    """
    places = places_of(settings)
    orders = [rpc for rpc in routes.effects if rpc.startswith(ORDERS)]
    streams = [rpc for rpc in routes.streaming if not rpc.startswith(CHAT)]
    values: dict[str, object] = {
        "admin_port": settings.admin_port,
        "admin_socket": str(admin),
        "trusted_hops": settings.trusted_hops,
        "sound_request_id": Fragment(text=SOUND_REQUEST_ID),
        "host": settings.host,
        "edge_port": settings.edge_port,
        "security_headers": _security_headers(settings),
        "transport_socket": _transport_socket(settings),
        "server_host": reachable(settings.host),
        "grpc_port": grpc_port,
        "rest_lua": str(SCRIPTS / "rest.lua"),
        "unmatched_lua": str(SCRIPTS / "unmatched.lua"),
        "descriptors": str(descriptors.resolve()),
        "services": routes.services,
        "streaming_paths": _any_of(streams),
        "order_paths": _any_of(rpc for rpc in orders if rpc not in routes.streaming),
        "call_timeout": _seconds(settings.default_deadline_s + SLACK_S),
        "order_timeout": _seconds(settings.default_deadline_s + ORDER_SLACK_S),
        "chat_timeout": _seconds(settings.chat_timeout_s + SLACK_S),
        "cors_origins": _origins(settings.cors_origins),
        "body_limit": settings.edge_body_limit_mib * MIB,
        "body_limit_mib": settings.edge_body_limit_mib,
        "heap_bytes": settings.edge_heap_mib * MIB,
        "connections_used": places.used,
        "connections_accepted": places.accepted,
        "fullness": str(fullness),
        "address_limit": _address_limit(settings),
    }
    values["unwrapped_routes"] = _unwrapped_routes(routes, str(values["call_timeout"]))
    values["page_routes"] = page_routes()
    tools = offered_over_http(settings)
    values["mcp_filters"] = mcp_filters(tools, body_limit=settings.edge_body_limit_mib * MIB)
    values["mcp_routes"] = mcp_routes(tools, settings)
    values["rest_routes"] = _rest_routes(routes)
    return fill_in(TEMPLATE.read_text(), values)


def fill_in(template: str, values: Mapping[str, object]) -> str:
    """Returns `template` with its placeholders replaced; an unknown name is a `KeyError`."""

    def items(match: re.Match[str]) -> str:
        elements = values[match[2]]
        assert isinstance(elements, list)  # noqa: S101  # a mistake in this file, not in the input
        return "".join(f"{match[1]}- {json.dumps(element)}\n" for element in elements)

    def value(match: re.Match[str]) -> str:
        found = values[match[1]]
        return found.text if isinstance(found, Fragment) else json.dumps(found)

    return PLACEHOLDER.sub(value, LIST_ITEM.sub(items, template))


def reachable(host: str) -> str:
    """Returns the address to connect to for something that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _address_limit(settings: Settings) -> list[object]:
    """Returns the filter that bounds the requests of one address; none where there is no bound."""
    rate = settings.edge_address_rate
    if rate is None:
        rate = ADDRESS_RATE if settings.rate_limit else 0.0

    if not rate:
        return []

    all_of_them = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    retry = {"key": "retry-after", "value": "1"}
    return [
        {
            "name": "address_limit",
            "typed_config": {
                "@type": "type.googleapis.com/"
                "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
                "stat_prefix": "address",
                "filter_enabled": all_of_them,
                "filter_enforced": all_of_them,
                "rate_limited_as_resource_exhausted": True,
                "response_headers_to_add": [{"header": retry}],
                # The bucket of what has no descriptor: nothing. It must be there, and its interval
                # must be the one below.
                "token_bucket": _bucket(UNBOUNDED),
                "always_consume_default_token_bucket": False,
                # A network of IPv6 is one customer, see server/rpc/addresses.py.
                "rate_limits": [
                    {
                        "actions": [
                            {
                                "masked_remote_address": {
                                    "v4_prefix_mask_len": 32,
                                    "v6_prefix_mask_len": 64,
                                }
                            }
                        ]
                    }
                ],
                # Without a value: a bucket for each that comes.
                "descriptors": [
                    {"entries": [{"key": "masked_remote_address"}], "token_bucket": _bucket(rate)}
                ],
                "max_dynamic_descriptors": ADDRESSES_KNOWN,
            },
        }
    ]


def _bucket(rate: float) -> object:
    """Holds what comes in two seconds, and is filled each second."""
    return {
        "max_tokens": math.ceil(2 * rate),
        "tokens_per_fill": math.ceil(rate),
        "fill_interval": "1s",
    }


def _unwrapped_routes(routes: Routes, timeout: str) -> list[object]:
    return [
        {
            "name": "unwrapped",
            "match": {"path": rpc, "grpc": {}},
            "route": {"cluster": "server", "timeout": timeout, "idle_timeout": timeout},
            "metadata": {"filter_metadata": {"envoy.filters.http.lua": {"unwrap": field}}},
        }
        for rpc, field in routes.unwrapped.items()
    ]


def _rest_routes(routes: Routes) -> list[object]:
    """One route a path, literal ones first: `/{name}` matches what they match."""
    limited = {"envoy.filters.http.body_size_limit": {"@type": FILTER_CONFIG, "config": {}}}
    return [
        {
            "name": template,
            "match": {"safe_regex": {"regex": routes.pattern(template) + "/?"}},
            "route": {"cluster": "server"},
            "metadata": {
                "filter_metadata": {"unmatched": {"allow": ", ".join(routes.allowed(template))}}
            },
            "typed_per_filter_config": limited,
        }
        for template in sorted(routes.methods, key=lambda path: ("{" in path, path))
    ]


def _transport_socket(settings: Settings) -> object:
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    paths = {
        "certificate": str(settings.tls_certificate.resolve()),
        "key": str(settings.tls_key.resolve()),
    }
    # Deeper than any line around it, as a value that spans lines must be.
    return Fragment(text=indent(fill_in(TLS_TEMPLATE.read_text(), paths), " " * 40).lstrip())


def _security_headers(settings: Settings) -> list[object]:
    headers = {
        # Account data must not rest in a cache between here and the caller.
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }
    if settings.tls_certificate is not None:
        headers["strict-transport-security"] = "max-age=31536000"
    return [
        {"header": {"key": key, "value": value}, "append_action": "ADD_IF_ABSENT"}
        for key, value in headers.items()
    ]


def _origins(origins: str) -> list[object]:
    if origins.strip() == "*":
        return [{"safe_regex": {"regex": ".*"}}]
    return [{"exact": origin.strip()} for origin in origins.split(",") if origin.strip()]


def _any_of(rpcs: Iterable[str]) -> str:
    """Returns a regular expression of these paths, service by service."""
    services: dict[str, list[str]] = {}
    for rpc in rpcs:
        service, method = rpc.rsplit("/", 1)
        services.setdefault(service, []).append(method)
    return (
        "|".join(
            f"{re.escape(service)}/(?:{'|'.join(methods)})" for service, methods in services.items()
        )
        or NOTHING
    )


def _seconds(seconds: float) -> str:
    return f"{seconds:g}s"
