"""Every rpc says how it is reached, what it does to the world, and who may call it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from google.protobuf.descriptor import FieldDescriptor

from server.contract.catalog import Authentication, Contract, Effect, is_required


def test_the_list_of_rpcs(contract: Contract, golden: Callable[[str, str], None]) -> None:
    lines = []

    for method in contract.methods:
        route = f"{method.http.verb.upper()} {method.http.path}" if method.http else "gRPC only"
        body = f" body={method.http.body}" if method.http and method.http.body else ""
        flags = [
            method.effect.value,
            *(["stream"] if method.streams else []),
            *(["strict"] if method.strict else []),
            *(["no key"] if not method.needs_key else []),
        ]
        lines.append(f"{method.path} {route}{body} ({', '.join(flags)})")

    golden("methods.txt", "\n".join(lines) + "\n")


def test_every_rpc_has_a_route_or_says_why_not(contract: Contract) -> None:
    assert [m.name for m in contract.methods if (m.http is None) != bool(m.grpc_only_because)] == []


def test_every_rpc_states_its_idempotency(contract: Contract) -> None:
    assert [m.name for m in contract.methods if not m.idempotency_is_set] == []


def test_routes_and_names_are_unique(contract: Contract) -> None:
    routes = Counter((m.http.verb, m.http.path) for m in contract.methods if m.http)
    assert [route for route, count in routes.items() if count > 1] == []
    assert [n for n, count in Counter(m.name for m in contract.methods).items() if count > 1] == []


def test_get_only_reads_and_nothing_that_changes_is_a_get(contract: Contract) -> None:
    for method in contract.methods:
        if method.http and method.http.verb == "get":
            assert method.effect is Effect.READS, method.name

        if method.http and method.http.verb == "delete":
            assert method.effect is Effect.REPEATABLE, method.name


def test_whatever_moves_money_is_read_strictly(contract: Contract) -> None:
    loose = [
        method.name
        for method in contract.methods
        if method.service.endswith(".OrderService")
        and method.effect is not Effect.READS
        and not method.strict
    ]
    assert loose == []


def test_every_call_that_places_something_takes_a_client_order_id(contract: Contract) -> None:
    for name in ("PlaceOrder", "ReplaceOrder", "PlaceComplexOrder"):
        method = contract.named(name)
        assert method.http is not None
        body = method.request.fields_by_name[method.http.body].message_type
        assert body is not None
        assert "client_order_id" in body.fields_by_name, name


def test_requests_and_responses_are_named_after_their_rpc(contract: Contract) -> None:
    for method in contract.methods:
        assert (method.request.name, method.response.name) == (
            f"{method.name}Request",
            f"{method.name}Response",
        )


def test_routes_name_fields_that_exist(contract: Contract) -> None:
    for method in contract.methods:
        if method.http is None:
            continue

        for name in method.http.path_variables:
            field = method.request.fields_by_name[name]
            assert field.type == FieldDescriptor.TYPE_STRING
            assert is_required(field), f"{method.name}.{name}"

        if method.http.body not in ("", "*"):
            assert method.http.body in method.request.fields_by_name

        if method.http.response_body:
            assert method.http.response_body in method.response.fields_by_name


def test_query_parameters_are_values_or_lists_of_values(contract: Contract) -> None:
    """Envoy would take a message as `a.b=1`, which no guide of ours teaches."""
    nested = [
        field.full_name
        for method in contract.methods
        for field in method.query_fields
        if field.message_type is not None
    ]
    assert nested == []


def test_streams_speak_the_same_words_in_the_same_places(contract: Contract) -> None:
    """So one encoded event, and one encoded notice, fit every stream."""
    numbers: dict[str, set[int]] = {}

    for method in contract.methods:
        if not method.server_streaming or method.name == "StreamChat":
            continue

        fields = {field.name: field.number for field in method.response.fields}
        assert (fields["kind"], fields["notice"]) == (1, 3), method.name

        for name, number in fields.items():
            numbers.setdefault(name, set()).add(number)

        over_rest = "heartbeat_interval" in method.request.fields_by_name
        assert over_rest, f"{method.name}: a reader chooses its heartbeat"

    assert {name: found for name, found in numbers.items() if len(found) > 1} == {}


def test_only_these_need_no_key(contract: Contract) -> None:
    assert contract.open_paths == {
        "/tasty.v1.CredentialsService/SaveCredentials",
        "/tasty.v1.SystemService/GetHealth",
    }
    admins = {m.name for m in contract.methods if m.authentication is Authentication.KEY_OR_ADMIN}
    assert admins == {"ListCredentials", "DeleteCredentials"}


def test_a_method_is_found_by_its_grpc_path(contract: Contract) -> None:
    method = contract.method("/tasty.v1.OrderService/PlaceOrder")
    assert method is not None
    assert method.name == "PlaceOrder"
    assert contract.method("/tasty.v1.OrderService/Nothing") is None
