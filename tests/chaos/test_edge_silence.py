"""Connections that are held and not used: they end, and keep nobody else out meanwhile.

With TASTY_LONG=1 it is the ten thousand and fifty of one address that once did.
"""

from __future__ import annotations

import asyncio
import resource
import socket
import ssl
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from server.edge import Envoy
from server.settings import Settings
from tests.chaos.test_edge_abuse import REQUEST, probed, socket_of
from tests.effort import LONG
from tests.http2 import PREFACE, SETTINGS, frame
from tests.rest.test_edge_tls import self_signed
from tests.stack import Backend, open_edge

LIMIT = 10_000 if LONG else 100
SILENT = LIMIT + 50


def is_closed(wire: socket.socket) -> bool:
    wire.setblocking(False)
    try:
        while wire.recv(4096):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def until_closed(wires: list[socket.socket], within: float) -> None:
    left, deadline = wires, time.monotonic() + within
    while left := [wire for wire in left if not is_closed(wire)]:
        assert time.monotonic() < deadline, f"{len(left)} of {len(wires)} are still open"
        time.sleep(0.2)


def test_silent_connections_keep_nobody_out(tmp_path: Path) -> None:
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < SILENT + 1000:
        pytest.skip(f"only {most} files may be open here (ulimit -Hn)")

    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        with open_edge(tmp_path, edge_connections=LIMIT) as edge, ExitStack() as stack:

            def attack() -> None:
                wires = []
                for number in range(SILENT):
                    wire = stack.enter_context(socket_of(edge.envoy.port))
                    wire.sendall(b"GP"[: number % 2])
                    wires.append(wire)
                until_closed(wires, within=12 if LONG else 8)

            probe = probed(edge.envoy.port, attack)
            assert not probe.failures
            assert len(probe.latencies) > 100
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))


def test_silence_ends_wherever_it_begins(tmp_path: Path) -> None:
    """In a first line, after the preface of HTTP/2 (no ping is answered), in TLS's handshake."""
    pem, key = self_signed(tmp_path)
    with (
        open_edge(tmp_path / "plain") as plain,
        open_edge(tmp_path / "tls", tls_certificate=pem, tls_key=key) as secured,
        ExitStack() as stack,
    ):
        hello = client_hello()
        begun = [
            *((plain, PREFACE[:12]), (plain, PREFACE), (plain, PREFACE + frame(SETTINGS, 0, 0))),
            *((plain, part) for part in (b"GET / HT", b"GET / HTTP/1.1\r\nhost: a\r\n")),
            *((secured, part) for part in (b"", hello[:20], hello)),
        ]
        wires = []
        for edge, part in begun:
            wire = stack.enter_context(socket_of(edge.envoy.port))
            wire.sendall(part)
            wires.append(wire)
        until_closed(wires[3:], within=14)
        until_closed(wires[:3], within=12)


def client_hello() -> bytes:
    """Returns what a client of TLS says first."""
    said = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), said, server_hostname="a").do_handshake()
    return said.read()


async def test_who_holds_what_is_scarce_without_using_it_loses_it(tmp_path: Path) -> None:
    """After one request a connection may stay for minutes, unless there are few left."""
    with Backend() as backend:
        settings = Settings(
            edge_port=0, admin_port=0, edge_threads=1, data_dir=tmp_path, edge_connections=50
        )
        async with Envoy(settings, grpc_port=backend.port) as envoy:
            telling = asyncio.ensure_future(envoy.tell_fullness())
            try:
                with ExitStack() as stack:
                    held = await asyncio.to_thread(holding, stack, envoy.port, 20)
                    await asyncio.sleep(4)
                    assert not any(map(is_closed, held)), "there were enough"

                    held += await asyncio.to_thread(holding, stack, envoy.port, 28)
                    await asyncio.to_thread(until_closed, held, 15)
            finally:
                telling.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await telling


def holding(stack: ExitStack, port: int, count: int) -> list[socket.socket]:
    """Returns connections that have had one answer each."""
    wires = [stack.enter_context(socket_of(port)) for _ in range(count)]
    for wire in wires:
        wire.sendall(REQUEST)
        assert wire.recv(4096).startswith(b"HTTP/1.1 200")
    return wires
