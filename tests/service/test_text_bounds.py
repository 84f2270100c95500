"""Each text of the contract at its largest length and one more, through gRPC.

Made from the descriptors. What becomes of the largest is up to the rpc; only that it is no matter
of its length, and no fault of the server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc.aio
import pytest
import pytest_asyncio
from google.protobuf.message import Message
from tasty.v1 import order_placement_pb2, order_service_pb2

from server.contract.catalog import rule_of
from server.contract.field_checks import pattern_of
from server.simulator import Simulator, SimulatorSettings
from server.tenants import DEMO_API_KEY
from tests.bounds import TEXTS, Place, request_with, text_of
from tests.gateway import Gateway, open_gateway

ACCOUNT = "5WT00001"
KEY = (("x-api-key", DEMO_API_KEY.reveal()),)
FAULTS = {"INTERNAL", "UNKNOWN", "DATA_LOSS"}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with (
        Simulator(SimulatorSettings(port=0)) as sim,
        open_gateway(sim, tmp_path_factory.mktemp("bounds")) as running,
    ):
        yield running


async def outcome(gateway: Gateway, place: Place, request: Message) -> tuple[str, str]:
    """Returns status and sentence of a call; of a stream as it begins."""
    method = place.method
    data = request.SerializeToString()
    try:
        if method.client_streaming:
            duplex = gateway.channel.stream_stream(method.path)(metadata=KEY, timeout=20)
            await duplex.write(data)
            await duplex.read()
            duplex.cancel()
        elif method.server_streaming:
            stream = gateway.channel.unary_stream(method.path)(data, metadata=KEY, timeout=20)
            await stream.read()
            stream.cancel()
        else:
            await gateway.channel.unary_unary(method.path)(data, metadata=KEY, timeout=20)
    except grpc.aio.AioRpcError as error:
        return error.code().name, str(error.details())

    return "OK", ""


def request_of(place: Place, text: str) -> Message:
    request = request_with(place, text)
    if place.path[0].name != "account_id" and "account_id" in request.DESCRIPTOR.fields_by_name:
        request.account_id = ACCOUNT  # type: ignore[attr-defined]  # it has one
    return request


@pytest.mark.parametrize("place", TEXTS, ids=str)
async def test_a_text_at_its_largest_length_and_one_more(gateway: Gateway, place: Place) -> None:
    _, longest = pattern_of(rule_of(place.field))
    assert longest is not None
    largest = text_of(place.field, longest)
    if largest is not None:
        code, words = await outcome(gateway, place, request_of(place, largest))
        assert code not in FAULTS, words
        assert f"at most {longest} characters" not in words

    more = (largest or "7" * longest) + "7"
    code, words = await outcome(gateway, place, request_of(place, more))
    assert code == "INVALID_ARGUMENT", words
    assert place.field.name in words or "date format" in words
    assert len(words) < 400


async def test_an_impossible_order_id_leaves_no_trace(gateway: Gateway) -> None:
    """Of megabytes, too: a message of gRPC has 4 MiB at most, and says so."""
    before = gateway.sim.statistics().requests
    for size in (19, 100_000, 4_000_000):
        cancel = order_placement_pb2.CancelOrderRequest(account_id=ACCOUNT, order_id="7" * size)
        get = order_service_pb2.GetOrderRequest(account_id=ACCOUNT, order_id="7" * size)
        for call in (gateway.demo.orders.CancelOrder(cancel), gateway.demo.orders.GetOrder(get)):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call

            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            words = f"Invalid order_id '{size} characters'. Expected at most 18 characters."
            assert refused.value.details() == words

    assert gateway.sim.statistics().requests == before


async def test_a_message_of_more_than_4_mib_is_refused(gateway: Gateway) -> None:
    cancel = order_placement_pb2.CancelOrderRequest(account_id=ACCOUNT, order_id="7" * (4 << 20))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await gateway.demo.orders.CancelOrder(cancel)

    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
