"""Packet captures as libpcap writes them (draft-ietf-opsawg-pcap), and the form with longer records.

By magic number: a1b2c3d4 with microseconds, a1b23c4d with nanoseconds, a1b2cd34 with eight more octets.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from resolver.replay.foreign import OTHER_CAPTURE
from resolver.replay.packets import Packet, is_read
from resolver.replay.report import DAMAGED, Report, UnusableLog
from resolver.replay.source import Source

# Byte order, and how many octets stand before each packet.
MAGICS: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", 16),
    b"\xa1\xb2\xc3\xd4": (">", 16),
    b"\x4d\x3c\xb2\xa1": ("<", 16),
    b"\xa1\xb2\x3c\x4d": (">", 16),
    b"\x34\xcd\xb2\xa1": ("<", 24),
    b"\xa1\xb2\xcd\x34": (">", 24),
}
_HEADER: Final = 24
MAX_PACKET: Final = 1 << 18


def packets(source: Source, report: Report) -> Iterator[Packet]:
    """The packets; the last may be cut, as those of a `tcpdump` that was killed are.

    Raises:
        UnusableLog: no header, or a link type that is not read.
    """
    header = source.read(_HEADER)
    if len(header) < _HEADER:
        raise UnusableLog("a packet capture that is cut short in its header")
    order, before = MAGICS[header[:4]]
    link = struct.unpack_from(order + "I", header, 20)[0] & 0xFFFF
    if not is_read(link):
        raise UnusableLog(f"a packet capture of link type {link}, which is not read", OTHER_CAPTURE)
    number = 0
    while record := source.read(before):
        number += 1
        report.at(number)
        packet = _packet(source, record.ljust(before, b"\xff"), order, link)
        if packet is None:
            report.leave_out(DAMAGED, _why(record, order, before))
            return
        yield packet


def _packet(source: Source, record: bytes, order: str, link: int) -> Packet | None:
    """The packet behind its record's header; None where it is not there."""
    second, _, kept, length = struct.unpack_from(order + "IIII", record)
    if kept > MAX_PACKET:
        return None
    data = source.read(kept)
    return Packet(link, second, data, whole=kept >= length) if len(data) == kept else None


def _why(record: bytes, order: str, before: int) -> str:
    if len(record) < before:
        return "cut short"
    (kept,) = struct.unpack_from(order + "I", record, 8)
    return f"a packet of {kept} octets" if kept > MAX_PACKET else "cut short"
