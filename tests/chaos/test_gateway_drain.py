"""Row 18 again, for the gateway as it runs: Envoy lets nobody in before the server refuses anybody.

Clients come and go all the while, as browsers and scripts do, and never wait for a health check.
There are five hundred streams.
"""

from __future__ import annotations

import http.client
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.effort import for_ci
from tests.stack import Gateway, run_gateway

CLIENTS = 8
STREAMS = 500
PATIENCE_S = 60
PAUSE_S = 0.05


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    # Time for what a busy machine has taken in to be served before the server says no.
    with run_gateway(tmp_path, rate_limit=0, drain_notice_s=3, streams_per_key=STREAMS) as gateway:
        yield gateway


class Caller:
    """Asks again and again, on a new connection when told to, until there is nobody to ask."""

    def __init__(self, gateway: Gateway) -> None:
        self._port = int(gateway.url.rsplit(":", 1)[1])
        self._key = {"X-API-Key": gateway.api_key}
        self.statuses: list[int] = []

    def run(self) -> None:
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
            try:
                connection.connect()
            except OSError:
                return
            try:
                if not self._use(connection):
                    return
            finally:
                connection.close()

    def _use(self, connection: http.client.HTTPConnection) -> bool:
        """Returns False where nobody took the connection from the kernel any more."""
        answered = False
        while True:
            try:
                connection.request("GET", "/api/v1/current-time", headers=self._key)
                answer = connection.getresponse()
            except ConnectionError:
                assert not answered, "an open connection was cut off"
                return False
            answer.read()
            answered = True
            self.statuses.append(answer.status)
            if answer.will_close:
                return True
            time.sleep(PAUSE_S)


def last_word(gateway: Gateway, opened: threading.Semaphore) -> bytes:
    url = f"{gateway.url}/api/v1/stream/quotes?symbols=SPY"
    key = {"X-API-Key": gateway.api_key}
    said = b""
    with requests.get(url, headers=key, stream=True, timeout=PATIENCE_S) as events:
        for line in events.iter_lines():
            if line.startswith(b"data: "):
                if not said:
                    opened.release()
                said = line
    return said


@for_ci
def test_no_request_fails_and_every_stream_is_told(gateway: Gateway) -> None:
    callers = [Caller(gateway) for _ in range(CLIENTS)]
    opened = threading.Semaphore(0)
    with ThreadPoolExecutor(CLIENTS + STREAMS) as threads:
        words = [threads.submit(last_word, gateway, opened) for _ in range(STREAMS)]
        for _ in words:
            assert opened.acquire(timeout=PATIENCE_S)
        calls = [threads.submit(caller.run) for caller in callers]
        while not all(caller.statuses for caller in callers):
            assert not any(call.done() for call in calls)
            time.sleep(PAUSE_S)
        gateway.process.send_signal(signal.SIGTERM)
        for call in calls:
            call.result(PATIENCE_S)
        ends = [word.result(PATIENCE_S) for word in words]

    assert {status for caller in callers for status in caller.statuses} == {200}
    assert all(b"STREAM_EVENT_KIND_END" in end for end in ends)
    assert gateway.process.wait(PATIENCE_S) == 0
