"""The edge before a scripted server, and the whole gateway; one of each for all tests here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.shared_gateway import SharedGateway
from tests.stack import Edge, Gateway, open_edge


@pytest.fixture(scope="session")
def shared_edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with open_edge(tmp_path_factory.mktemp("edge")) as edge:
        yield edge


@pytest.fixture
def edge(shared_edge: Edge) -> Iterator[Edge]:
    """The edge, and behind it a server that answers every rpc with an empty message."""
    shared_edge.backend.calls.clear()
    yield shared_edge
    shared_edge.backend.answers.clear()


@pytest.fixture(scope="module")
def gateway(request: pytest.FixtureRequest, shared_gateway: SharedGateway) -> Gateway:
    """Simulator, server and edge as `python -m server up` starts them, without a rate limit."""
    # The folders that follow this one do without it.
    request.node.parent.addfinalizer(shared_gateway.close)
    return shared_gateway.running()


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session
