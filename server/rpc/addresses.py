"""Tells the network address of a caller, for what is shared fairly or slowed by address.

The edge names the caller in `x-tasty-address`, after it has removed what the caller itself wrote
there, and by the trusted hops of its own configuration. Who reaches the gRPC port directly can
write that header too, so it is believed only from loopback and from the edge's own address.
"""

from __future__ import annotations

__all__ = ["address_of"]

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from urllib.parse import unquote

LOCAL = "local"
"""Who comes through a Unix socket, or from nowhere that has an address."""
LONGEST = 45
"""Characters of an address in text, at most."""
ONE_CUSTOMER = 64
"""Bits of an IPv6 address that belong to one customer, who may change the others at will."""


@lru_cache(maxsize=4096)  # each call asks, and a connection asks the same each time
def address_of(peer: str, told: str | None, *, edge: str = "") -> str:
    """Returns the address of who calls: "192.0.2.7", or of IPv6 the network "2001:db8::/64".

    `peer` is gRPC's word for the other end ("ipv4:192.0.2.7:50051"), `told` the edge's header, and
    `edge` the address from which the edge calls beside loopback.
    """
    near = _host_of(peer)
    if told and (near in (LOCAL, edge) or _is_loopback(near)):
        # Whatever else it says, one caller: the edge only writes addresses.
        return _customer(told[:LONGEST])

    return _customer(near)


def _host_of(peer: str) -> str:
    family, _, rest = peer.partition(":")
    if family not in ("ipv4", "ipv6"):
        return LOCAL

    host = unquote(rest).rpartition(":")[0]
    return host.removeprefix("[").removesuffix("]").partition("%")[0]


def _customer(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return host

    if not isinstance(address, IPv6Address):
        return host

    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)

    return str(IPv6Network((address, ONE_CUSTOMER), strict=False))


def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False

    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
