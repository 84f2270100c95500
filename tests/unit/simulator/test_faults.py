"""Tests the list of faults: matching, counting, skipping, parsing from JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from server.simulator.envelope import BrokerError
from server.simulator.faults import KINDS, REST_KINDS, SOCKET_KINDS, Fault, Faults, parse_fault


def test_a_fault_is_used_up_by_its_count() -> None:
    faults = Faults((Fault(kind="status", count=2),))
    taken = [faults.take(REST_KINDS, "/x") for _ in range(3)]
    assert [fault is not None for fault in taken] == [True, True, False]
    assert not faults
    assert faults.statistics().fired == {"status": 2}


def test_skip_lets_some_pass_first() -> None:
    faults = Faults((Fault(kind="status", skip=2),))
    taken = [faults.take(REST_KINDS, "/x") is not None for _ in range(4)]
    assert taken == [False, False, True, False]


def test_without_a_count_it_stays_until_it_is_removed() -> None:
    faults = Faults()
    number = faults.add(Fault(kind="hang", count=None))
    assert all(faults.take(REST_KINDS, "/x") for _ in range(10))
    assert faults.remove(number)
    assert not faults.remove(number)
    assert faults.take(REST_KINDS, "/x") is None


@pytest.mark.parametrize(
    ("fault", "matches"),
    [
        (Fault(kind="status", path="/accounts/*/orders"), True),
        (Fault(kind="status", path="/accounts"), False),
        (Fault(kind="status", method="POST"), True),
        (Fault(kind="status", method="GET"), False),
        (Fault(kind="status", customer="c1"), True),
        (Fault(kind="status", customer="c2"), False),
        (Fault(kind="drop"), False),
        (Fault(kind="slow"), True),
    ],
)
def test_what_matches(fault: Fault, matches: bool) -> None:
    faults = Faults((fault,))
    taken = faults.take(REST_KINDS, "/accounts/5WT00001/orders", method="POST", customer="c1")
    assert (taken is fault) == matches


def test_the_first_that_matches_is_taken() -> None:
    one, two = Fault(kind="status", status=500), Fault(kind="status", status=503)
    faults = Faults((one, two))
    assert [faults.take(REST_KINDS, "/"), faults.take(REST_KINDS, "/")] == [one, two]


def test_at_names_a_message() -> None:
    faults = Faults((Fault(kind="drop", at="AUTH*"),))
    assert faults.take(SOCKET_KINDS, "/dxlink", at="SETUP") is None
    assert faults.take(SOCKET_KINDS, "/dxlink", at="AUTH_STATE") is not None


def test_now_fires_on_open_sockets_and_is_not_kept() -> None:
    faults, hit = Faults(), []

    def socket(name: str, path: str) -> Any:
        def take(fault: Fault) -> bool:
            if fault.matches(path, at="now"):
                hit.append(name)
                return True

            return False

        return take

    for name in "abc":
        faults.attach(socket(name, "/dxlink"))

    detach = faults.attach(socket("d", "/streamer"))
    faults.add(Fault(kind="drop", at="now", path="/dxlink", count=2))
    assert hit == ["a", "b"]
    faults.add(Fault(kind="drop", at="now", count=None))
    assert hit == ["a", "b", "a", "b", "c", "d"]
    detach()
    faults.add(Fault(kind="drop", at="now", path="/streamer"))
    assert len(hit) == 6
    assert faults.statistics().waiting == 0


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        {},
        {"kind": "no such"},
        {"kind": "drop", "nonsense": 1},
        {"kind": "drop", "count": 0},
        {"kind": "drop", "skip": -1},
        {"kind": "slow", "delay": "long"},
        {"kind": "slow", "delay": -1},
        {"kind": "slow", "delay": 1e20},
        {"kind": "status", "status": 99},
        {"kind": "status", "status": 600},
        {"kind": "close", "code": "70000"},
        {"kind": "status", "status": "500"},
        {"kind": "status", "path": 5},
    ],
)
def test_nonsense_is_refused(given: Any) -> None:
    with pytest.raises(BrokerError):
        parse_fault(given)


def test_json_names_the_fields() -> None:
    fault = parse_fault({"kind": "slow", "path": "/x", "delay": 0.5, "count": None})
    assert fault == Fault(kind="slow", path="/x", delay=timedelta(milliseconds=500), count=None)


def test_every_kind_can_be_made_and_is_explained() -> None:
    for kind, text in KINDS.items():
        assert Fault(kind=kind).kind == kind
        assert text
