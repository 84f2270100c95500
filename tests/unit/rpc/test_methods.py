"""The contract as the server reads it: complete, with the policy of every rpc."""

from __future__ import annotations

from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from tasty.v1 import system_service_pb2

from server.rpc.methods import LANES, PATIENCE, Access, Lane, contract_methods

DESCRIPTORS = Path(__file__).parents[3] / "gen" / "descriptors.pb"
METHODS = {method.path: method for method in contract_methods()}


def test_no_service_of_the_contract_is_left_out() -> None:
    files = FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()).file
    paths = {
        f"/{file.package}.{service.name}/{method.name}"
        for file in files
        if file.package.startswith("tasty.")
        for service in file.service
        for method in service.method
    }

    assert paths == set(METHODS)
    assert len(paths) >= 30


def test_only_these_need_no_key() -> None:
    open_ones = {path for path, method in METHODS.items() if method.access is Access.OPEN}

    assert open_ones == {
        "/tasty.v1.SystemService/GetHealth",
        "/tasty.v1.CredentialsService/SaveCredentials",
    }


def test_the_administrator_may_see_to_keys_and_to_nothing_else() -> None:
    assert {path for path, method in METHODS.items() if method.access is Access.KEY_OR_ADMIN} == {
        "/tasty.v1.CredentialsService/ListCredentials",
        "/tasty.v1.CredentialsService/DeleteCredentials",
    }


def test_the_tables_name_rpcs_that_exist() -> None:
    assert set(LANES) <= set(METHODS)
    assert set(PATIENCE) <= set(METHODS)


def test_cancelling_an_order_has_a_lane_of_its_own() -> None:
    cancelling = {path for path, method in METHODS.items() if method.lane is Lane.CANCEL}

    assert cancelling == {
        "/tasty.v1.OrderService/CancelOrder",
        "/tasty.v1.OrderService/CancelComplexOrder",
    }


def test_shapes_and_messages_are_those_of_the_contract() -> None:
    assert METHODS["/tasty.v1.SystemService/GetHealth"].request is (
        system_service_pb2.GetHealthRequest
    )
    for path, method in METHODS.items():
        # buf's rule for names of messages, so nothing is bound to a neighbour's request.
        assert method.request.DESCRIPTOR.full_name == f"tasty.v1.{path.rsplit('/')[-1]}Request"
    both = METHODS["/tasty.v1.MarketDataService/StreamMarketData"]
    assert (both.client_streaming, both.server_streaming) == (True, True)
    one = METHODS["/tasty.v1.MarketDataService/StreamQuotes"]
    assert (one.client_streaming, one.server_streaming) == (False, True)
