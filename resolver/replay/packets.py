"""From a packet as an interface saw it to the DNS responses in it: link layer, IP, UDP and TCP; pure."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, NamedTuple

from resolver.replay.report import NO_RESPONSE, LeftOut

OTHER_TRAFFIC: Final = "other traffic"
ENCRYPTED: Final = "encrypted DNS (port 853)"
FRAGMENT: Final = "fragment of an IP packet"
CUT: Final = "packet cut by the snap length of the capture"
BROKEN_PACKET: Final = "broken packet"
TCP_PART: Final = "TCP segment that is not made of whole DNS messages"
OTHER_LINK: Final = "interface of a link type that is not read"

_DNS, _DNS_OVER_TLS = 53, 853
_TCP, _UDP = 6, 17
_IPV4, _IPV6, _PPPOE = 0x0800, 0x86DD, 0x8864
_MPLS: Final = frozenset({0x8847, 0x8848})
_TAGS: Final = frozenset({0x8100, 0x88A8, 0x9100, 0x9200})
# Addresses of Cisco's HDLC, one station's and all stations'.
_CISCO: Final = frozenset({0x0F, 0x8F})
_PPP_IP: Final = frozenset({0x0021, 0x0057})
# IPv6 extension headers; their second octet counts eights beyond the first (RFC 8200, 6275, 7401, 5533).
_EXTENSIONS: Final = frozenset({0, 43, 60, 135, 139, 140})
_FRAGMENT_HEADER, _AUTHENTICATION = 44, 51
_U16: Final = struct.Struct("!H")
_MIN_MESSAGE: Final = 12


class Packet(NamedTuple):
    """What was captured of one packet."""

    link: int
    """a link type of tcpdump.org/linktypes.html"""
    second: int
    data: bytes
    whole: bool
    """False where the packet was longer than what was kept of it"""


def responses_in(packet: Packet) -> list[bytes]:
    """The DNS responses in a packet from UDP or TCP port 53.

    Raises:
        LeftOut: there is none, or none that can be used.
    """
    try:
        return _responses(_LINKS[packet.link](packet.data))
    except KeyError:
        raise LeftOut(OTHER_LINK, f"link type {packet.link}") from None
    except (IndexError, struct.error):
        if packet.whole:
            raise LeftOut(BROKEN_PACKET, f"{len(packet.data)} octets") from None
        raise LeftOut(CUT, f"{len(packet.data)} octets are left of it") from None


def is_read(link: int) -> bool:
    """Whether packets of this link type can be."""
    return link in _LINKS


def _ethernet(data: bytes) -> bytes:
    return _of_type(_u16(data, 12), data, 14)


def _of_type(kind: int, data: bytes, place: int) -> bytes:
    """The IP packet behind an EtherType, and behind tags, labels and sessions that stand before it."""
    while kind in _TAGS:
        kind, place = _u16(data, place + 2), place + 4
    if kind == _PPPOE:
        return _ppp(data[place + 6 :])
    if kind in _MPLS:
        while not data[place + 2] & 1:
            place += 4
        return data[place + 4 :]
    if kind not in (_IPV4, _IPV6):
        raise LeftOut(OTHER_TRAFFIC)
    return data[place:]


def _ppp(data: bytes) -> bytes:
    """PPP, with and without HDLC's address and control (RFC 1662), and with a protocol field of one octet."""
    place = 2 if data[:2] == b"\xff\x03" else 0
    short = data[place] & 1
    protocol = data[place] if short else _u16(data, place)
    if protocol not in _PPP_IP:
        raise LeftOut(OTHER_TRAFFIC)
    return data[place + 2 - short :]


def _pktap(data: bytes) -> bytes:
    """What macOS writes for all interfaces: a header that says its length and the link type behind it."""
    length, _, link = struct.unpack_from("<III", data)
    if link not in _LINKS or link == _PKTAP:
        raise LeftOut(OTHER_LINK, f"link type {link}")
    return _LINKS[link](data[length:])


def _ip(data: bytes) -> bytes:
    return data


_PKTAP: Final = 258
# By tcpdump.org/linktypes.html: BSD loopback, Ethernet, PPP, the same in HDLC, PPPoE, raw IP by 3 numbers,
# Cisco HDLC, OpenBSD loopback, Linux cooked, IPv4, IPv6, macOS' pktap, Linux cooked v2.
_LINKS: Final[dict[int, Callable[[bytes], bytes]]] = {
    0: lambda data: data[4:],
    1: _ethernet,
    9: _ppp,
    50: lambda data: _of_type(_u16(data, 2), data, 4) if data[0] in _CISCO else _ppp(data),
    51: lambda data: _ppp(data[6:]),
    12: _ip,
    14: _ip,
    101: _ip,
    104: lambda data: _of_type(_u16(data, 2), data, 4),
    108: lambda data: data[4:],
    113: lambda data: _of_type(_u16(data, 14), data, 16),
    228: _ip,
    229: _ip,
    _PKTAP: _pktap,
    276: lambda data: _of_type(_u16(data, 0), data, 20),
}


def _responses(data: bytes) -> list[bytes]:
    version = data[0] >> 4
    if version not in (4, 6):
        raise LeftOut(OTHER_TRAFFIC)
    protocol, payload = _of_ipv4(data) if version == 4 else _of_ipv6(data)
    if protocol not in (_UDP, _TCP):
        raise LeftOut(OTHER_TRAFFIC)
    source, target = _u16(payload, 0), _u16(payload, 2)
    if _DNS_OVER_TLS in (source, target):
        raise LeftOut(ENCRYPTED)
    if source != _DNS:
        raise LeftOut(NO_RESPONSE if target == _DNS else OTHER_TRAFFIC)
    return [_datagram(payload)] if protocol == _UDP else _segment(payload)


def _of_ipv4(data: bytes) -> tuple[int, bytes]:
    """The protocol and what it carries (RFC 791)."""
    start, total, protocol = (data[0] & 15) * 4, _u16(data, 2), data[9]
    if start < 20 or 0 < total < start:
        raise LeftOut(BROKEN_PACKET, f"IPv4 header of {start} octets in a packet of {total}")
    # More fragments, or not the first.
    if _u16(data, 6) & 0x3FFF:
        raise LeftOut(FRAGMENT)
    return protocol, _payload(data, start, total or len(data))


def _of_ipv6(data: bytes) -> tuple[int, bytes]:
    """The protocol behind all extension headers, and what it carries (RFC 8200)."""
    length, kind, place = _u16(data, 4), data[6], 40
    end = 40 + length if length else len(data)
    while kind in _EXTENSIONS or kind in (_FRAGMENT_HEADER, _AUTHENTICATION):
        if kind == _FRAGMENT_HEADER and _u16(data, place + 2) & 0xFFF9:
            raise LeftOut(FRAGMENT)
        size = data[place + 1]
        octets = (
            8 if kind == _FRAGMENT_HEADER else (size + 2) * 4 if kind == _AUTHENTICATION else (size + 1) * 8
        )
        kind, place = data[place], place + octets
    if place > end:
        raise LeftOut(BROKEN_PACKET, "IPv6 extension headers leave their packet")
    return kind, _payload(data, place, end)


def _payload(data: bytes, start: int, end: int) -> bytes:
    # What is behind the end is padding of the link. What is missing matters only of our packets.
    if end > len(data) and len(data) >= start + 4 and _u16(data, start) == _DNS:
        raise IndexError
    return data[start:end]


def _datagram(payload: bytes) -> bytes:
    length = _u16(payload, 4)
    if 0 < length < 8 or length > len(payload):
        raise IndexError
    return payload[8 : length or len(payload)]


def _segment(payload: bytes) -> list[bytes]:
    """The messages of a segment that holds them whole; where one begins in another segment is not known."""
    data = payload[(payload[12] >> 4) * 4 :]
    if (payload[12] >> 4) < 5 or not data:
        raise LeftOut(OTHER_TRAFFIC)
    messages, place = [], 0
    while place + 2 <= len(data):
        length = _u16(data, place)
        messages.append(data[place + 2 : place + 2 + length])
        place += 2 + length
    if place != len(data) or min(map(len, messages)) < _MIN_MESSAGE:
        raise LeftOut(TCP_PART, f"{len(data)} octets")
    return messages


def _u16(data: bytes, place: int) -> int:
    return _U16.unpack_from(data, place)[0]
