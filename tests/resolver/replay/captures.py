"""Packets and captures, octet by octet, and what is read of a file."""

from __future__ import annotations

import struct
from ipaddress import ip_address
from pathlib import Path

from load_tests.bench_resolver.sidecar_process import response
from resolver.dns_message import read_response
from resolver.replay.query_log import responses
from resolver.replay.report import Report
from resolver.wire_names import to_text

# The same in every process of a test run, as they stand in the names of tests.
ONE, TWO = (b"\0\7" + response(name)[2:] for name in ("one.example.com", "two.example.com"))
IPV4, IPV6 = b"\x08\x00", b"\x86\xdd"
UDP, TCP = 17, 6
SERVER4, CLIENT4 = (ip_address(text).packed for text in ("192.0.2.53", "192.0.2.50"))
SERVER6, CLIENT6 = (ip_address(text).packed for text in ("2001:db8::53", "2001:db8::50"))


def read(path: Path) -> tuple[list[tuple[bytes, int]], Report]:
    """What is in a file, and what became of the rest."""
    report = Report()
    return list(responses(path, report)), report


def names(wires: list[tuple[bytes, int]]) -> list[str]:
    """The questions of responses."""
    return [to_text(read_response(wire).name) for wire, _ in wires]


def datagram(payload: bytes, source: int = 53, target: int = 40000) -> bytes:
    """A UDP datagram."""
    return struct.pack("!HHHH", source, target, 8 + len(payload), 0) + payload


def segment(payload: bytes, source: int = 53, target: int = 40000, options: bytes = b"") -> bytes:
    """A TCP segment."""
    offset = (5 + len(options) // 4) << 4
    return struct.pack("!HHIIBBHHH", source, target, 1, 1, offset, 0x18, 512, 0, 0) + options + payload


def framed(*messages: bytes) -> bytes:
    """Messages as TCP carries them."""
    return b"".join(struct.pack("!H", len(message)) + message for message in messages)


def ipv4(payload: bytes, protocol: int = UDP, options: bytes = b"", fragment: int = 0) -> bytes:
    """An IPv4 packet."""
    words = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH", 0x40 | words, 0, 4 * words + len(payload), 7, fragment, 64, protocol, 0)
    return head + SERVER4 + CLIENT4 + options + payload


def ipv6(payload: bytes, protocol: int = UDP, extensions: bytes = b"") -> bytes:
    """An IPv6 packet; `protocol` is that of the first header behind."""
    head = struct.pack("!IHBB", 6 << 28, len(extensions) + len(payload), protocol, 64)
    return head + SERVER6 + CLIENT6 + extensions + payload


def ethernet(packet: bytes, kind: bytes = IPV4, tags: bytes = b"") -> bytes:
    """A frame."""
    return bytes.fromhex("020000000001020000000002") + tags + kind + packet


def udp(message: bytes) -> bytes:
    """A frame with a response of a resolver."""
    return ethernet(ipv4(datagram(message)))


def pcap(
    *packets: bytes, order: str = "<", link: int = 1, magic: int = 0xA1B2C3D4, snap: int = 65535
) -> bytes:
    """A file as tcpdump writes it; packets are cut to the snap length."""
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, link)]
    for packet in packets:
        kept = packet[:snap]
        parts.append(struct.pack(order + "IIII", 200, 5, len(kept), len(packet)))
        parts += [bytes(8) if magic == 0xA1B2CD34 else b"", kept]
    return b"".join(parts)


class Pcapng:
    """Writes one section."""

    def __init__(self, order: str = "<", length: int = -1) -> None:
        self.order = order
        body = struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, length)
        self.octets = self.block(0x0A0D0D0A, body)

    def block(self, kind: int, body: bytes) -> bytes:
        """Any block."""
        body += bytes(-len(body) % 4)
        length = struct.pack(self.order + "I", len(body) + 12)
        return struct.pack(self.order + "I", kind) + length + body + length

    def add(self, kind: int, body: bytes) -> Pcapng:
        """Append a block."""
        self.octets += self.block(kind, body)
        return self

    def interface(self, link: int = 1, options: dict[int, bytes] | None = None, snap: int = 0) -> Pcapng:
        """Append an interface."""
        body = struct.pack(self.order + "HHI", link, 0, snap)
        for code, value in (options or {}).items():
            body += struct.pack(self.order + "HH", code, len(value)) + value + bytes(-len(value) % 4)
        return self.add(1, body + (bytes(4) if options else b""))

    def packet(self, data: bytes, ticks: int = 200_000_000, interface: int = 0, length: int = 0) -> Pcapng:
        """Append an enhanced packet."""
        head = (interface, ticks >> 32, ticks & 0xFFFFFFFF, len(data), length or len(data))
        return self.add(6, struct.pack(self.order + "IIIII", *head) + data)

    def old_packet(self, data: bytes, ticks: int = 200_000_000, interface: int = 0) -> Pcapng:
        """Append a packet as files had them before 2004."""
        head = (interface, 0xFFFF, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
        return self.add(2, struct.pack(self.order + "HHIIII", *head) + data)

    def simple_packet(self, data: bytes, length: int = 0) -> Pcapng:
        """Append a packet without a time."""
        return self.add(3, struct.pack(self.order + "I", length or len(data)) + data)
