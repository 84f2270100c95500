"""Who is believed about a caller's address, and what counts as one caller."""

from __future__ import annotations

import pytest

from server.rpc.addresses import address_of

EDGE = "10.0.0.7"


@pytest.mark.parametrize(
    ("peer", "told", "address"),
    [
        # The edge, on this machine.
        ("ipv4:127.0.0.1:50000", "192.0.2.7", "192.0.2.7"),
        ("ipv6:%5B::1%5D:50000", "192.0.2.7", "192.0.2.7"),
        ("ipv6:[::1]:50000", "192.0.2.7", "192.0.2.7"),
        ("ipv6:%5B::ffff:127.0.0.1%5D:50000", "192.0.2.7", "192.0.2.7"),
        ("unix:", "192.0.2.7", "192.0.2.7"),
        ("ipv4:10.0.0.7:50000", "192.0.2.7", "192.0.2.7"),
        # Somebody who reached the gRPC port and writes the header himself.
        ("ipv4:203.0.113.9:50000", "192.0.2.7", "203.0.113.9"),
        ("ipv4:10.0.0.70:50000", "192.0.2.7", "10.0.0.70"),
        ("ipv6:%5B2001:db8::1%5D:50000", "192.0.2.7", "2001:db8::/64"),
        # Nobody tells anything.
        ("ipv4:127.0.0.1:50000", None, "127.0.0.1"),
        ("ipv4:127.0.0.1:50000", "", "127.0.0.1"),
        ("ipv4:203.0.113.9:50000", None, "203.0.113.9"),
        ("unix:", None, "local"),
        ("", None, "local"),
        # One customer of IPv6 has 2^64 addresses, and must not count as so many callers.
        ("ipv4:127.0.0.1:1", "2001:db8:0:1:aaaa::1", "2001:db8:0:1::/64"),
        ("ipv4:127.0.0.1:1", "2001:db8:0:1:bbbb::2", "2001:db8:0:1::/64"),
        ("ipv4:127.0.0.1:1", "::ffff:192.0.2.7", "192.0.2.7"),
        ("ipv6:%5Bfe80::1%25eth0%5D:50000", None, "fe80::/64"),
        # What no edge writes is cut, so that nobody makes keys as long as he likes.
        ("ipv4:127.0.0.1:1", "x" * 10_000, "x" * 45),
    ],
)
def test_an_address(peer: str, told: str | None, address: str) -> None:
    assert address_of(peer, told, edge=EDGE) == address


def test_without_an_address_of_the_edge_only_loopback_is_believed() -> None:
    assert address_of("ipv4:203.0.113.9:50000", "192.0.2.7") == "203.0.113.9"
