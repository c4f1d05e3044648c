"""Which addresses may be evidence: those of hosts on the public Internet, none that everybody shares.

Decided by the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, RFC 8190) as they stood in
October 2025, column "Globally Reachable", by the multicast registries (RFC 5771, RFC 4291) and by IANA's IPv6
Global Unicast Address Assignments: of IPv6, only 2000::/3 is anybody's. Python's ``ipaddress`` is older than
these registries and asks another question; tests name every difference.

An address that carries another one (IPv4-mapped, IPv4-compatible, NAT64, 6to4, Teredo) is refused and not
unwrapped: it says nothing of a host that the record of the carried address does not say, and each such form
would be one more spelling of an address that is refused.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

GLOBAL: Final = ""
_PRIVATE_USE: Final = "private use"
_SHARED: Final = "shared by carriers' customers"
_UNIQUE_LOCAL: Final = "unique local"
# What may be evidence in a network that says so: RFC 1918, RFC 6598, RFC 4193.
PRIVATE_KINDS: Final = frozenset({_PRIVATE_USE, _SHARED, _UNIQUE_LOCAL})

_DOCUMENTATION: Final = "documentation"
_BENCHMARKING: Final = "benchmarking"
_PROTOCOL: Final = "protocol assignment"
_RESERVED: Final = "reserved"

# The most specific block counts; GLOBAL ones are holes in a wider block.
_IPV4_BLOCKS: Final[dict[str, str]] = {
    "0.0.0.0/0": GLOBAL,
    "0.0.0.0/8": "this network",
    "0.0.0.0/32": "unspecified",
    "10.0.0.0/8": _PRIVATE_USE,
    "100.64.0.0/10": _SHARED,
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local",
    "172.16.0.0/12": _PRIVATE_USE,
    "192.0.0.0/24": _PROTOCOL,
    # Port Control Protocol and TURN anycast: "Globally Reachable" (RFC 7723, RFC 8155).
    "192.0.0.9/32": GLOBAL,
    "192.0.0.10/32": GLOBAL,
    "192.0.2.0/24": _DOCUMENTATION,
    "192.88.99.0/24": "6to4 relay",
    "192.168.0.0/16": _PRIVATE_USE,
    "198.18.0.0/15": _BENCHMARKING,
    "198.51.100.0/24": _DOCUMENTATION,
    "203.0.113.0/24": _DOCUMENTATION,
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": _RESERVED,
    "255.255.255.255/32": "broadcast",
}
_IPV6_BLOCKS: Final[dict[str, str]] = {
    # RFC 4291: whatever is not assigned to be global unicast is reserved.
    "::/0": _RESERVED,
    "2000::/3": GLOBAL,
    "::/96": "IPv4-compatible",
    "::/128": "unspecified",
    "::1/128": "loopback",
    "::ffff:0:0/96": "IPv4-mapped",
    "64:ff9b::/96": "NAT64",
    "64:ff9b:1::/48": "NAT64",
    "100::/64": "discard-only",
    "100:0:0:1::/64": "dummy",
    "2001::/23": _PROTOCOL,
    "2001::/32": "Teredo",
    # Port Control Protocol, TURN and DNS-SD registration anycast, AMT, AS112, ORCHIDv2, drone identifiers:
    # "Globally Reachable" (RFC 7723, 8155, 9665, 7450, 7535, 7343, 9374).
    "2001:1::1/128": GLOBAL,
    "2001:1::2/128": GLOBAL,
    "2001:1::3/128": GLOBAL,
    "2001:3::/32": GLOBAL,
    "2001:4:112::/48": GLOBAL,
    "2001:20::/28": GLOBAL,
    "2001:30::/28": GLOBAL,
    "2001:2::/48": _BENCHMARKING,
    "2001:10::/28": "ORCHID",
    "2001:db8::/32": _DOCUMENTATION,
    "2002::/16": "6to4",
    "3fff::/20": _DOCUMENTATION,
    "5f00::/16": "segment routing",
    "fc00::/7": _UNIQUE_LOCAL,
    "fe80::/10": "link-local",
    "fec0::/10": "site-local",
    "ff00::/8": "multicast",
}


def kind_of(address: IPv4Address | IPv6Address) -> str:
    """What an address is for, "" where it is a plain global one.

    >>> kind_of(IPv4Address("203.0.113.7")), kind_of(IPv6Address("3ffe:b00::7"))
    ('documentation', '')
    """
    starts, kinds = _IPV4 if address.version == 4 else _IPV6
    return kinds[bisect_right(starts, int(address)) - 1]


def may_be_evidence(address: IPv4Address | IPv6Address, *, private: bool = False) -> bool:
    """Whether what an address is seen with says anything of a name; `private` admits PRIVATE_KINDS.

    >>> may_be_evidence(IPv4Address("10.0.0.7")), may_be_evidence(IPv4Address("10.0.0.7"), private=True)
    (False, True)
    """
    kind = kind_of(address)
    return kind == GLOBAL or (private and kind in PRIVATE_KINDS)


def _ranges(blocks: dict[str, str]) -> tuple[list[int], list[str]]:
    """Where each range of one kind starts, ascending, and its kind."""
    networks = {ip_network(block): kind for block, kind in blocks.items()}
    # One past the end of a block, what is around it begins again.
    edges = {edge for network in networks for edge in _edges(network)}
    starts = sorted(edges)
    return starts, [_most_specific(networks.items(), start) for start in starts]


def _edges(network: IPv4Network | IPv6Network) -> Iterable[int]:
    first, after = int(network.network_address), int(network.broadcast_address) + 1
    return (first,) if after == 2**network.max_prefixlen else (first, after)


def _most_specific(networks: Iterable[tuple[IPv4Network | IPv6Network, str]], start: int) -> str:
    around = (
        (network.prefixlen, kind)
        for network, kind in networks
        if int(network.network_address) <= start <= int(network.broadcast_address)
    )
    return max(around)[1]


_IPV4: Final = _ranges(_IPV4_BLOCKS)
_IPV6: Final = _ranges(_IPV6_BLOCKS)
