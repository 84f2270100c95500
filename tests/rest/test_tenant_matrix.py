"""Row 11 of the promises: of another tenant's things a caller learns no more than of nothing.

Every rpc with every kind of name in its request, over gRPC and over REST, by every caller, with
what belongs to every other tenant: status and body are those of a name that nobody has. Which rpcs
there are and what names they take is read from the contract, so a new rpc is in the matrix at once,
and a new kind of name fails here until it is said what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import pytest
import requests
from google.protobuf.descriptor import FieldDescriptor

from server.contract.catalog import Effect, Method, load
from server.contract.examples import load_examples
from tests.effort import LONG
from tests.rest.matrix import RESTING, Answer, Tenant, ask, furnished, request_of
from tests.rest_call import call
from tests.stack import Gateway

OTHER = "matrix-tenant-b"
KEYS = ("matrix-tenant-a", OTHER, "matrix-tenant-c", *(["matrix-tenant-d"] if LONG else []))
TRANSPORTS = ("grpc", "rest")
APART_BY = (1, 2, 3) if LONG else (1,)
PAIRS = [(KEYS[n], KEYS[(n + apart) % len(KEYS)]) for n in range(len(KEYS)) for apart in APART_BY]
"""Callers and owners: everybody is each of them once, with TASTY_LONG=1 beside everybody else."""

KINDS = {"account_id", "order_id", "complex_order_id", "api_key", "cursor", "page_token", "code"}
"""Names of fields that name something which belongs to a tenant."""
WATCHLISTS = "tasty.v1.WatchlistService"
"""Of the fields called `name`, those of this service."""
NOT_IDS = {
    "action", "client_secret", "content", "expiration_date", "exchanges", "instrument_type",
    "interval", "message", "name", "option_type", "order_type", "price", "refresh_token", "role",
    "start_time", "stop_trigger", "symbol", "symbols", "time_back", "time_in_force",
    "transaction_type", "type", "underlying_symbol", "value", "watchlist_type",
}  # fmt: skip  # a list of words
APART = {
    "client_order_id": "a name that the caller gives; test_a_name_used_by_another_is_free",
}
EXEMPT = {
    ("SaveCredentials", "api_key"): "registering must refuse a key that exists; whoever guesses it"
    " could as well use it",
    ("ListCredentials", "page_token"): "beside the simulator everybody is shown all keys, masked; "
    "with a real broker only one's own, on one page",
}

CHANGING = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)"  # times
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}"  # request ids
)
NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Cell:
    """One rpc, one of its names, one way to call it."""

    method: Method
    field: str
    transport: str

    def __str__(self) -> str:
        return f"{self.method.name}-{self.field}-{self.transport}"

    def ask(self, channel: grpc.Channel, caller: Tenant, identifier: str) -> Answer:
        """Asks for something by its name; all else in the request is the caller's own."""

        def known(name: str) -> bool:
            return is_id(self.method, name)

        request = request_of(caller, self.method, self.field, identifier, known)
        return ask(self.transport, channel, caller, self.method, request)


def names_in(method: Method) -> list[str]:
    """Returns the names that the request has, also below its body."""
    body = method.http.body if method.http else ""
    fields = list(method.request.fields)
    if body not in ("", "*"):
        below = method.request.fields_by_name[body].message_type
        fields += below.fields if below is not None else []
    return [each.name for each in fields if each.type == FieldDescriptor.TYPE_STRING]


def is_id(method: Method, name: str) -> bool:
    return name in KINDS or (name == "name" and method.service == WATCHLISTS)


CELLS = [
    Cell(method, name, transport)
    for method in load().methods
    for name in names_in(method)
    if is_id(method, name) and (method.name, name) not in EXEMPT
    for transport in TRANSPORTS
    if transport == "grpc" or method.http
]
ASKED = CELLS if LONG else [cell for number, cell in enumerate(CELLS) if number % 4 in (0, 3)]
"""Each name over one of the ways in turn, with TASTY_LONG=1 over both."""


@pytest.fixture(scope="module")
def channel(gateway: Gateway) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(gateway.target) as channel:
        yield channel


@pytest.fixture(scope="module")
def tenants(gateway: Gateway) -> Iterator[dict[str, Tenant]]:
    with requests.Session() as http:
        tenants = {key: furnished(Tenant(key, gateway, http, {"api_key": key})) for key in KEYS}
        yield tenants
        for tenant in tenants.values():  # the gateway goes on without them
            tenant.ask("DeleteCredentials", path={"api_key": tenant.key})


def nobodys(identifier: str) -> str:
    """Returns a name of the same length and look that nobody has."""
    return re.sub(r"[0-9]", "9", re.sub(r"[A-Z]", "Z", re.sub(r"[a-z]", "z", identifier)))


def told(answer: Answer, identifier: str) -> str:
    """Returns the answer without the name that was asked for, and without what always differs."""
    text = CHANGING.sub("<now>", repr(answer).replace(identifier, "<id>"))
    return NUMBER.sub("<n>", text) if answer[0] in (200, "OK") else text


@pytest.mark.parametrize("cell", ASKED, ids=str)
def test_anothers_is_like_nobodys(
    tenants: dict[str, Tenant], channel: grpc.Channel, cell: Cell
) -> None:
    for caller_key, owner_key in PAIRS:
        caller, owner = tenants[caller_key], tenants[owner_key]
        theirs = owner.own(cell.field, cell.method)
        answers = []
        for identifier in (theirs, nobodys(theirs)):
            answer = cell.ask(channel, caller, identifier)
            answers.append(told(answer, identifier))
            assert_blind(answer, identifier, tenants, caller)
        assert answers[0] == answers[1], f"{caller_key} sees what {owner_key} has"


def assert_blind(answer: Answer, asked: str, tenants: dict[str, Tenant], caller: Tenant) -> None:
    """No name of anybody else's is in the answer, but for the one that was asked for."""
    text = repr(answer).replace(asked, "")
    for other in tenants.values():
        if other is not caller:
            for kind in ("account_id", "api_key", "name"):
                assert other.ids[kind] not in text


@pytest.mark.parametrize("cell", [each for each in ASKED if each.transport == "rest"], ids=str)
def test_the_callers_own_is_not_like_nobodys(
    tenants: dict[str, Tenant], channel: grpc.Channel, cell: Cell
) -> None:
    """Else the matrix would prove nothing: its requests would fail before the name is looked at."""
    owner = tenants[OTHER]
    mine = owner.own(cell.field, cell.method)
    answers = [told(cell.ask(channel, owner, each), each) for each in (mine, nobodys(mine))]
    assert answers[0] != answers[1]
    if cell.method.effect is not Effect.READS:
        furnished(owner)  # what was cancelled, deleted or used up


@pytest.mark.parametrize("name", [m.name for m in load().methods if m.http and not m.streams])
def test_what_is_asked_without_a_name_shows_the_callers_own(
    tenants: dict[str, Tenant], name: str
) -> None:
    method = load().named(name)
    if [each for each in names_in(method) if is_id(method, each) and each != "name"]:
        return  # in the matrix above
    if name == "ManageWatchlist":
        return  # it changes; its list is in the matrix
    example = load_examples()[name]
    for tenant in tenants.values():
        request = {part: example[part] for part in ("path", "query", "body") if part in example}
        answer = call(tenant.http, tenant.gateway.url, method, key=tenant.key, **request)
        assert_blind((answer.status_code, answer.text), "", tenants, tenant)


def test_a_name_used_by_another_is_free(tenants: dict[str, Tenant]) -> None:
    """A client_order_id belongs to an account: another tenant's use of it tells nothing."""
    order = RESTING | {"client_order_id": "one-name-for-all"}
    numbers = set()
    for tenant in tenants.values():
        mine = {"account_id": tenant.ids["account_id"]}
        placed = tenant.ask("PlaceOrder", query=mine, body=order)
        numbers.add(placed["id"])
        assert tenant.ask("PlaceOrder", query=mine, body=order)["id"] == placed["id"]
    assert len(numbers) == len(tenants)


def test_every_name_of_the_contract_is_of_a_known_kind() -> None:
    for method in load().methods:
        for name in names_in(method):
            known = is_id(method, name) or name in NOT_IDS or name in APART
            assert known, f"{method.name}.{name}: does it name something of a tenant? Say so here."


def test_there_are_enough_cells() -> None:
    assert len(ASKED) * len(PAIRS) >= (600 if LONG else 75)
    assert {cell.field for cell in CELLS} == KINDS | {"name"}
    assert {(cell.method, cell.field) for cell in ASKED} == {
        (cell.method, cell.field) for cell in CELLS
    }
