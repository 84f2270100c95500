"""The edge before a scripted server, and the whole gateway; one of each for all tests here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.stack import Edge, Gateway, open_edge, run_gateway


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


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Simulator, server and edge as `python -m server up` starts them, without a rate limit."""
    with run_gateway(tmp_path_factory.mktemp("gateway"), rate_limit=0) as gateway:
        yield gateway


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session
