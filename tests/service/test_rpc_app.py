"""The whole composed server on free ports, as `python -m server serve` runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest
import pytest_asyncio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tasty.v1 import system_service_pb2 as pb
from tasty.v1.system_service_pb2_grpc import SystemServiceStub

from server.app import NOT_BUILT, App, open_app
from server.rpc.methods import contract_methods, contract_services
from server.settings import Settings
from server.tenants import DEMO_API_KEY
from tests.front import code_of, info_of, metrics_page
from tests.waiting import eventually

DEMO = (("x-api-key", DEMO_API_KEY.reveal()),)


def settings_in(folder: Path, **others: object) -> Settings:
    values = {"grpc_port": 0, "metrics_port": 0, "data_dir": folder, "drain_notice_s": 0}
    return Settings(**{**values, **others})  # type: ignore[arg-type]


@pytest_asyncio.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with open_app(settings_in(tmp_path)) as app:
        yield app


@pytest_asyncio.fixture
async def channel(app: App) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{app.grpc_port}") as channel:
        yield channel


async def test_health_needs_no_key(channel: grpc.aio.Channel) -> None:
    answer = await SystemServiceStub(channel).GetHealth(pb.GetHealthRequest())

    assert (answer.status, answer.service) == ("healthy", "tasty-agent-http")


async def test_the_time_needs_a_key_and_the_demo_key_is_there_from_the_start(
    channel: grpc.aio.Channel,
) -> None:
    system = SystemServiceStub(channel)
    answer = await system.GetCurrentTime(pb.GetCurrentTimeRequest(), metadata=DEMO)
    assert answer.current_time_nyc[-6:] in ("-05:00", "-04:00")

    for metadata, words in (
        ((), "Missing API key. Provide X-API-Key header."),
        (
            (("x-api-key", "nobodys-key"),),
            "Invalid API key. No credentials configured for this key.",
        ),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await system.GetCurrentTime(pb.GetCurrentTimeRequest(), metadata=metadata)
        assert (code_of(raised.value), raised.value.details()) == ("UNAUTHENTICATED", words)


async def test_every_rpc_without_a_key_says_so_before_anything_else(
    channel: grpc.aio.Channel,
) -> None:
    open_ones = {"GetHealth", "SaveCredentials"}
    for method in contract_methods():
        if method.name in open_ones:
            continue

        shape = {
            (False, False): channel.unary_unary,
            (False, True): channel.unary_stream,
            (True, True): channel.stream_stream,
        }[method.client_streaming, method.server_streaming]
        call = shape(method.path)(iter([]) if method.client_streaming else b"")
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await (call.read() if method.server_streaming else call)

        assert info_of(raised.value).reason == "ERROR_REASON_MISSING_API_KEY", method.path


async def test_what_is_not_built_says_so(tmp_path: Path) -> None:
    unary = [method for method in contract_methods() if not method.streaming]
    declared = [m for m in unary if {m.service, m.path[1:]} & set(NOT_BUILT)]
    async with (
        open_app(settings_in(tmp_path, rate_limit=0)) as app,
        grpc.aio.insecure_channel(f"127.0.0.1:{app.grpc_port}") as channel,
    ):
        for method in declared:
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await channel.unary_unary(method.path)(b"", metadata=DEMO)

            assert code_of(raised.value) == "UNIMPLEMENTED"
            assert raised.value.details() == (
                f"{method.name} is part of the contract but not built into this server yet."
            )
            assert info_of(raised.value).reason == "ERROR_REASON_NOT_BUILT"


async def test_health_checking_knows_every_service(channel: grpc.aio.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    for name in ("", *(service.full_name for service in contract_services())):
        answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING

    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await health.Check(health_pb2.HealthCheckRequest(service="tasty.v1.Typo"))
    assert code_of(raised.value) == "NOT_FOUND"


async def reflected(app: App) -> set[str]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{app.grpc_port}") as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        ask = reflection_pb2.ServerReflectionRequest(list_services="")
        call = stub.ServerReflectionInfo(iter([ask]))
        answer = await call.read()
        call.cancel()
        return {service.name for service in answer.list_services_response.service}


async def test_reflection_tells_the_contract(app: App) -> None:
    services = {service.full_name for service in contract_services()}

    assert await reflected(app) >= {*services, "grpc.health.v1.Health"}


async def test_reflection_can_be_switched_off(tmp_path: Path) -> None:
    async with open_app(settings_in(tmp_path, reflection=False)) as app:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await reflected(app)

    assert code_of(raised.value) == "UNIMPLEMENTED"


async def test_a_taken_port_is_an_error_that_names_the_setting(app: App, tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "other", grpc_port=app.grpc_port)

    with pytest.raises(OSError, match=f"{app.grpc_port}.*TASTY_GRPC_PORT"):
        async with open_app(settings):
            pytest.fail("two servers share a port")


async def test_a_taken_metrics_port_is_one_too(app: App, tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "other", metrics_port=app.metrics_port)

    with pytest.raises(OSError, match=f"{app.metrics_port}.*TASTY_METRICS_PORT"):
        async with open_app(settings):
            pytest.fail("two servers share a port")


async def test_two_servers_run_side_by_side(app: App, tmp_path: Path) -> None:
    async with open_app(settings_in(tmp_path / "other")) as other:
        assert other.grpc_port != app.grpc_port


async def test_metrics_count_calls_by_method_and_outcome(
    app: App, channel: grpc.aio.Channel
) -> None:
    system = SystemServiceStub(channel)
    for _ in range(3):
        await system.GetHealth(pb.GetHealthRequest())
    with pytest.raises(grpc.aio.AioRpcError):
        await system.GetCurrentTime(pb.GetCurrentTimeRequest())

    # Who is refused is told so before the server is done with the call.
    await eventually(lambda: not app.front.drain.statistics().unary)
    page = await metrics_page(app.metrics_port)
    assert page.startswith("HTTP/1.1 200 OK")
    path = "/tasty.v1.SystemService"
    assert f'tasty_calls_total{{code="OK",method="{path}/GetHealth"}} 3.0' in page
    assert f'tasty_calls_total{{code="UNAUTHENTICATED",method="{path}/GetCurrentTime"}} 1.0' in page
    assert f'tasty_call_seconds_count{{method="{path}/GetHealth"}} 3.0' in page
    for gauge in ('tasty_calls_running{kind="unary"} 0.0', "tasty_queue_waiting 0.0"):
        assert gauge in page
    assert "_created" not in page  # a second series for each, which nobody reads


async def test_the_metrics_page_answers_nothing_else_and_logs_no_request(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await metrics_page(app.metrics_port, "/")).startswith("HTTP/1.1 404")
    assert (await metrics_page(app.metrics_port, method="POST")).startswith("HTTP/1.1 405")
    assert (await metrics_page(app.metrics_port, "/" + "x" * 20_000)).startswith("HTTP/1.0 400")
    assert "xxx" not in caplog.text


async def test_what_fails_while_opening_closes_what_was_opened(tmp_path: Path) -> None:
    async with open_app(settings_in(tmp_path)) as app:
        taken = app.grpc_port
        with pytest.raises(OSError, match="cannot listen"):
            async with open_app(settings_in(tmp_path / "other", grpc_port=taken)):
                pytest.fail("it opened")

    # The folder is free again: no database, lock or port is held.
    async with open_app(settings_in(tmp_path / "other", grpc_port=taken)) as again:
        assert again.grpc_port == taken
