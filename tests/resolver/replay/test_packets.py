"""DNS responses are found behind any link layer, tag and extension; what holds none is told apart by reason."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.replay.packets import (
    BROKEN_PACKET,
    CUT,
    ENCRYPTED,
    FRAGMENT,
    OTHER_LINK,
    OTHER_TRAFFIC,
    TCP_PART,
    Packet,
    is_read,
    responses_in,
)
from resolver.replay.report import NO_RESPONSE, LeftOut
from tests.resolver.replay.captures import (
    IPV4,
    IPV6,
    ONE,
    TCP,
    TWO,
    datagram,
    ethernet,
    framed,
    ipv4,
    ipv6,
    segment,
    udp,
)

V4, V6 = ipv4(datagram(ONE)), ipv6(datagram(ONE))
HOP_BY_HOP = bytes([60, 0, 1, 4, 0, 0, 0, 0])
DESTINATION = bytes([51, 1, 1, 12]) + bytes(12)
AUTHENTICATION = bytes([44, 4]) + bytes(22)
WHOLE_IN_A_FRAGMENT = bytes([17, 0, 0, 0]) + bytes(4)


def found(data: bytes, link: int = 1, *, whole: bool = True) -> list[bytes]:
    """The responses in a packet."""
    return responses_in(Packet(link, 0, data, whole))


def reason(data: bytes, link: int = 1, *, whole: bool = True) -> str:
    """Why a packet holds none."""
    with pytest.raises(LeftOut) as why:
        found(data, link, whole=whole)
    return why.value.reason


@pytest.mark.parametrize(
    ("link", "before"),
    [
        (0, struct.pack("<I", 2)), (0, struct.pack(">I", 2)), (108, struct.pack(">I", 2)),
        (9, b"\x00\x21"), (9, b"\xff\x03\x00\x21"), (9, b"\x21"), (50, b"\xff\x03\x00\x21"), (50, b"\x0f\x00\x08\x00"),
        (51, b"\x11\x00\x00\x01\x00\x50\x00\x21"), (12, b""), (14, b""), (101, b""), (228, b""),
        (104, b"\x0f\x00\x08\x00"), (113, bytes(14) + IPV4), (276, IPV4 + bytes(18)),
        (113, bytes(14) + b"\x81\x00\x00\x07" + IPV4),
        (258, struct.pack("<III", 108, 1, 1) + bytes(96) + ethernet(b"")),
        (1, ethernet(b"")),
        (1, ethernet(b"", tags=b"\x81\x00\x00\x07")),
        (1, ethernet(b"", tags=b"\x88\xa8\x00\x07\x81\x00\x00\x08")),
        (1, ethernet(b"", tags=b"\x91\x00\x00\x07\x81\x00\x00\x08\x81\x00\x00\x09")),
        (1, ethernet(b"\x11\x00\x00\x01\x00\x50\x00\x21", kind=b"\x88\x64")),
        (1, ethernet(b"\x00\x01\x00\x40\x00\x02\x01\x40", kind=b"\x88\x47")),
    ],
)  # fmt: skip
def test_every_link_layer_is_seen_through(link: int, before: bytes) -> None:
    """Loopback, PPP, raw IP, Linux cooked, pktap, Ethernet with tags one in another, sessions and labels."""
    assert found(before + V4, link) == [ONE]


def test_ipv6_and_its_extension_headers_are_read() -> None:
    """Hop by hop, destination, authentication, and a fragment header of a packet that is whole."""
    chain = HOP_BY_HOP + DESTINATION + AUTHENTICATION + WHOLE_IN_A_FRAGMENT
    for packet in (V6, ipv6(datagram(ONE), 0, chain)):
        assert found(ethernet(packet, IPV6)) == found(packet, 229) == [ONE]


def test_options_and_padding_are_no_part_of_a_message() -> None:
    """IPv4 options before it, Ethernet's padding behind it, and an IP length of 0, as offloading leaves it."""
    assert found(ethernet(ipv4(datagram(ONE), options=b"\x94\x04\x00\x00")) + bytes(18)) == [ONE]
    offloaded = V4[:2] + b"\0\0" + V4[4:]
    assert found(offloaded, 101) == [ONE]


@pytest.mark.parametrize("build", [ipv4, ipv6])
def test_a_tcp_segment_gives_all_messages_that_it_holds_whole(build: object) -> None:
    """One, or two one behind another; with TCP options or without."""
    for data, options in ((framed(ONE), b""), (framed(ONE, TWO), b"\1\1\1\0")):
        packet = build(segment(data, options=options), TCP)  # type: ignore[operator]
        assert framed(*found(packet, 101)) == data


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (framed(ONE)[:-1], TCP_PART),
        (framed(ONE) + framed(TWO)[:20], TCP_PART),
        (framed(ONE)[5:], TCP_PART),
        (b"\0", TCP_PART),
        (framed(b"short"), TCP_PART),
        (b"", OTHER_TRAFFIC),
    ],
)
def test_parts_of_a_tcp_stream_are_not_misread(data: bytes, expected: str) -> None:
    """Where a message begins in another segment is not known: all of the segment is left out."""
    assert reason(ipv4(segment(data), TCP), 101) == expected


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (ipv4(datagram(ONE, 40000, 53)), NO_RESPONSE),
        (ipv4(segment(framed(ONE), 40000, 53), TCP), NO_RESPONSE),
        (ipv4(datagram(ONE, 5353, 5353)), OTHER_TRAFFIC),
        (ipv4(segment(b"GET /", 80), TCP), OTHER_TRAFFIC),
        (ipv4(segment(b"tls", 853), TCP), ENCRYPTED),
        (ipv4(datagram(b"quic", 40000, 853)), ENCRYPTED),
        (ipv4(b"\0\x35" + bytes(30), 1), OTHER_TRAFFIC),
        (ipv4(datagram(ONE)[:100], fragment=0x2000), FRAGMENT),
        (ipv4(datagram(ONE), fragment=0x2000), FRAGMENT),
        (ipv4(b"\0\x35" + bytes(30), fragment=100), FRAGMENT),
        (ipv6(datagram(ONE), 44, bytes([17, 0, 0, 1]) + bytes(4)), FRAGMENT),
        (ipv6(b"\0\x35" + bytes(30), 44, bytes([17, 0, 1, 0]) + bytes(4)), FRAGMENT),
        (ipv6(bytes(30), 50), OTHER_TRAFFIC),
        (bytes([0x44]) + V4[1:], BROKEN_PACKET),
        (V4[:2] + b"\0\x05" + V4[4:], BROKEN_PACKET),
        (V4[:24] + b"\xff\xff" + V4[26:], BROKEN_PACKET),
        (V4[:24] + b"\0\x04" + V4[26:], BROKEN_PACKET),
        (ipv6(b"", 60, bytes([17, 255]) + bytes(6)) + bytes(4000), BROKEN_PACKET),
        (V4[:-1], BROKEN_PACKET),
        (V4[:15], BROKEN_PACKET),
        (b"", BROKEN_PACKET),
        (b"\x50" + V4[1:], OTHER_TRAFFIC),
    ],
)  # fmt: skip
def test_what_holds_no_response_is_told_apart(packet: bytes, expected: str) -> None:
    """Queries, other services, encryption, fragments, and packets whose lengths do not fit."""
    assert reason(packet, 101) == expected


def test_arp_and_unknown_links_hold_none() -> None:
    """And a link type that is not read is named, also behind pktap."""
    assert reason(ethernet(bytes(28), b"\x08\x06")) == OTHER_TRAFFIC
    assert reason(b"\xc2\x23\x01", 9) == OTHER_TRAFFIC
    assert reason(V4, 105) == reason(struct.pack("<III", 108, 1, 105) + bytes(200), 258) == OTHER_LINK
    assert reason(struct.pack("<III", 12, 1, 258) + bytes(200), 258) == OTHER_LINK
    assert not is_read(105)


@pytest.mark.parametrize("packet", [udp(ONE), ethernet(V6, IPV6), ethernet(ipv4(segment(framed(ONE)), TCP))])
def test_a_packet_cut_by_the_snap_length_is_never_half_a_message(packet: bytes) -> None:
    """Wherever it is cut."""
    for kept in range(len(packet)):
        assert reason(packet[:kept], whole=False) in (CUT, OTHER_TRAFFIC)
    assert reason(packet[:-1], whole=False) == CUT
    assert found(packet + bytes(9), whole=False) == [ONE]


@given(
    st.binary(max_size=120),
    st.sampled_from([link for link in range(300) if is_read(link)]),
    st.sampled_from([b"", udp(b""), ethernet(V6, IPV6)[:60], ethernet(b"", b"\x88\x64"), V4[:28]]),
    st.booleans(),
)
def test_no_octets_raise_anything_else(data: bytes, link: int, before: bytes, whole: bool) -> None:
    """A packet gives messages, or the reason why not."""
    with suppress(LeftOut):
        assert all(isinstance(wire, bytes) for wire in found(before + data, link, whole=whole))


@given(
    st.integers(0, len(V4) - 1),
    st.integers(0, 255),
    st.sampled_from([V4, ipv4(segment(framed(ONE)), TCP), V6]),
)
def test_a_changed_octet_changes_nothing_else(place: int, octet: int, packet: bytes) -> None:
    """Neither what is raised nor what else is there: what is found is a piece of the packet."""
    changed = bytearray(packet)
    changed[place] = octet
    with suppress(LeftOut):
        assert all(wire in changed for wire in found(bytes(changed), 101))
