from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.address_space import kind_of, may_be_evidence

# Where the registries and Python 3.11's ipaddress differ: it has older registries, asks whether an address is
# private (not whether it is anybody's), and takes IPv6 outside of 2000::/3 for global.
DIFFERENCES = [
    ip_network(block)
    for block in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "224.0.0.0/4",
        "2001::/23",
        "2002::/16",
        "3fff::/20",
        *(f"{first:x}00::/8" for first in range(0x01, 0x20)),
        "::/8",
        "4000::/2",
        "8000::/1",
    )
]
PRIVATE = [
    ip_network(block)
    for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]


def inside(address: IPv4Address | IPv6Address, blocks: list[IPv4Network | IPv6Network]) -> bool:
    return any(address in block for block in blocks)


# Beginnings of blocks are what random addresses hardly ever meet.
edges = st.sampled_from(DIFFERENCES + PRIVATE).flatmap(
    lambda block: st.sampled_from([block[0], block[-1], block[0] - 1 if int(block[0]) else block[0]])
)
addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6), edges)
carried = st.ip_addresses(v=4).map(int)


@given(addresses)
def test_apart_from_named_blocks_python_says_the_same(address: IPv4Address | IPv6Address) -> None:
    """Outside the listed differences an address may be evidence exactly if ipaddress calls it global."""
    if not inside(address, DIFFERENCES):
        assert may_be_evidence(address) == address.is_global


@given(addresses)
def test_the_private_ones_are_three_kinds(address: IPv4Address | IPv6Address) -> None:
    """`private` admits RFC 1918, RFC 6598 and unique local addresses, and nothing else."""
    admitted = may_be_evidence(address, private=True) and not may_be_evidence(address)
    assert admitted == inside(address, PRIVATE)


@given(addresses)
def test_what_is_no_evidence_has_a_kind(address: IPv4Address | IPv6Address) -> None:
    """Whoever refuses an address can say what it is."""
    assert may_be_evidence(address) == (kind_of(address) == "")


@given(st.sampled_from(["::ffff:0:0", "::", "64:ff9b::", "64:ff9b:1::"]), carried)
def test_an_address_inside_another_is_no_evidence(prefix: str, address: int) -> None:
    """Mapped, compatible and NAT64 forms are refused whatever they carry."""
    assert not may_be_evidence(IPv6Address(int(IPv6Address(prefix)) + address), private=True)


@given(st.sampled_from([(0x2002, 80), (0x20010000, 0)]), carried)
def test_a_tunnels_address_is_no_evidence(tunnel: tuple[int, int], address: int) -> None:
    """6to4 and Teredo are refused whatever they carry."""
    prefix, shift = tunnel
    bits = 112 if prefix == 0x2002 else 96
    assert not may_be_evidence(IPv6Address((prefix << bits) + (address << shift)), private=True)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("0.0.0.0", "unspecified"),  # noqa: S104  no interface is bound
        ("0.1.2.3", "this network"),
        ("127.0.0.1", "loopback"),
        ("169.254.169.254", "link-local"),
        ("192.0.0.8", "protocol assignment"),
        ("192.0.2.1", "documentation"),
        ("192.88.99.1", "6to4 relay"),
        ("198.19.255.255", "benchmarking"),
        ("198.51.100.1", "documentation"),
        ("203.0.113.1", "documentation"),
        ("224.0.0.1", "multicast"),
        ("250.0.0.1", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::2", "IPv4-compatible"),
        ("::ffff:1.1.1.1", "IPv4-mapped"),
        ("64:ff9b::101:101", "NAT64"),
        ("100::1", "discard-only"),
        ("100:0:0:1::1", "dummy"),
        ("100:0:0:2::1", "reserved"),
        ("2001::1", "Teredo"),
        ("2001:2::1", "benchmarking"),
        ("2001:10::1", "ORCHID"),
        ("2001:100::1", "protocol assignment"),
        ("2001:db8::1", "documentation"),
        ("2002::1", "6to4"),
        ("3fff:fff::1", "documentation"),
        ("4000::1", "reserved"),
        ("5f00::1", "segment routing"),
        ("fd00::1", "unique local"),
        ("fe80::1", "link-local"),
        ("fec0::1", "site-local"),
        ("ff02::fb", "multicast"),
        ("10.0.0.1", "private use"),
        ("100.127.255.255", "shared by carriers' customers"),
    ],
)
def test_special_purposes_have_names(text: str, kind: str) -> None:
    """Every block of the registries is known by what it is for."""
    assert kind_of(ip_address(text)) == kind


@pytest.mark.parametrize(
    "text",
    [
        "1.1.1.1",
        "192.0.0.9",
        "192.0.0.10",
        "192.0.1.255",
        "192.31.196.1",
        "192.52.193.1",
        "192.175.48.1",
        "223.255.255.255",
        "2001:1::1",
        "2001:1::2",
        "2001:1::3",
        "2001:3::1",
        "2001:4:112::1",
        "2001:20::1",
        "2001:30::1",
        "2001:200::1",
        "2606:4700:4700::1111",
        "2620:4f:8000::1",
        "3ffe:b00::66",
        "3fff:1000::1",
    ],
)
def test_the_rest_is_global(text: str) -> None:
    """Blocks that the registries call globally reachable, and what is in no registry, may be evidence."""
    assert may_be_evidence(ip_address(text))
