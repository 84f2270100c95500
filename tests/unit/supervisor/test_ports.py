"""Ports before anything is started."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from server.settings import Settings
from server.supervisor.ports import PortTaken, settled

FREE = {
    "edge_port": 0,
    "grpc_port": 0,
    "admin_port": 0,
    "metrics_port": 0,
    "simulator_port": 0,
}


def test_zero_becomes_a_free_port_and_all_differ() -> None:
    found = settled(Settings(**FREE))
    ports = [getattr(found, name) for name in FREE]
    assert all(ports)
    assert len(set(ports)) == len(ports)


def test_a_taken_port_names_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken) as refused:
            settled(Settings(**FREE | {"grpc_port": port}))
    assert str(refused.value) == (
        f"Cannot listen on 127.0.0.1:{port} (it is in use). Stop what uses that port, or set "
        "TASTY_GRPC_PORT to another one."
    )


def test_two_settings_with_one_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    with pytest.raises(PortTaken, match="TASTY_ADMIN_PORT"):
        settled(Settings(**FREE | {"edge_port": port, "admin_port": port}))


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(PortTaken, match="cannot assign requested address"):
        settled(Settings(**FREE, host="192.0.2.77"))


@pytest.mark.parametrize("settings", [{"broker": "sandbox"}, {"simulator_url": "http://a:1"}])
def test_no_port_for_a_simulator_that_is_not_started(settings: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = settled(Settings(**FREE | {"simulator_port": port} | settings))
    assert found.simulator_port == port


def test_the_folder_is_left_alone(tmp_path: Path) -> None:
    settled(Settings(**FREE, data_dir=tmp_path / "new"))
    assert not (tmp_path / "new").exists()
