"""Packet captures as Wireshark and tshark write them (draft-ietf-opsawg-pcapng).

Blocks of a type, a length, a body and the length again. A section header says the byte order of what follows,
and forgets all interfaces; an interface has a link type and a resolution of time; others are passed over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from resolver.replay.packets import Packet
from resolver.replay.report import BAD_TIME, DAMAGED, LeftOut, Report
from resolver.replay.source import Source

MAGIC: Final = b"\x0a\x0d\x0d\x0a"
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 0x0A0D0D0A, 1, 2, 3, 6
_READ: Final = frozenset({_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET})
_ORDERS: Final = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_MAX_BLOCK: Final = 16 << 20
_MAX_INTERFACES: Final = 1 << 16
_MAX_SECOND: Final = 1 << 32
_TIME_RESOLUTION, _TIME_OFFSET = 9, 14
BROKEN_BLOCK: Final = "broken pcapng block"


class _Interface(NamedTuple):
    link: int
    snap_length: int
    ticks_a_second: int
    offset_s: int


class _Broken(Exception):
    """Where the next block begins is not known."""


@dataclass(slots=True)
class _Section:
    order: str = ""
    interfaces: list[_Interface] = field(default_factory=list)


def packets(source: Source, report: Report) -> Iterator[Packet]:
    """The packets of all sections and interfaces; the last block may be cut."""
    section = _Section()
    number = 0
    report.at(1)
    try:
        while (block := _block(source, section)) is not None:
            kind, body = block
            if kind not in (_PACKET, _SIMPLE_PACKET, _OLD_PACKET):
                _follow(section, kind, body)
                continue
            number += 1
            report.at(number)
            try:
                yield _PACKETS[kind](section, body)
            except LeftOut as why:
                report.leave_out(why.reason, why.detail)
            except (struct.error, IndexError):
                report.leave_out(BROKEN_BLOCK, f"type {kind}, {len(body)} octets")
    except _Broken as broken:
        report.at(number + 1)
        report.leave_out(DAMAGED, str(broken))


def _block(source: Source, section: _Section) -> tuple[int, bytes] | None:
    """The next block's type and body, empty where it is passed over; None at the end.

    Raises:
        _Broken: the file ends in it, or its lengths differ.
    """
    start = source.read(8)
    if not start:
        return None
    if start[:4] == MAGIC:
        start += source.read(4)
        section.order = _ORDERS.get(start[8:12], "")
        section.interfaces = []
    if len(start) < 8 or not section.order:
        raise _Broken("cut short" if len(start) < 8 else "no section with a byte order")
    kind, length = struct.unpack_from(section.order + "II", start)
    left = length - len(start) - 4
    if left < 0 or length % 4:
        raise _Broken(f"a block of {length} octets")
    body = _body(source, left, kept=kind in _READ)
    if source.read(4) != start[4:8]:
        raise _Broken("cut short, or a block whose two lengths differ")
    return kind, body


def _body(source: Source, size: int, *, kept: bool) -> bytes:
    if kept and size > _MAX_BLOCK:
        raise _Broken(f"a block of {size} octets")
    if kept:
        return source.read(size)
    source.skip(size)
    return b""


def _follow(section: _Section, kind: int, body: bytes) -> None:
    """Heed a block that holds no packet."""
    if kind == _SECTION:
        # The body begins behind the magic of the byte order.
        if len(body) < 12 or struct.unpack_from(section.order + "H", body)[0] != 1:
            raise _Broken("a section of another version")
    elif kind == _INTERFACE:
        if len(body) < 8 or len(section.interfaces) >= _MAX_INTERFACES:
            raise _Broken("an interface without a link type, or too many of them")
        section.interfaces.append(_interface(section.order, body))


def _interface(order: str, body: bytes) -> _Interface:
    link, _, snap_length = struct.unpack_from(order + "HHI", body)
    options = _options(order, body[8:])
    # Microseconds where nothing is said; a power of two with the highest bit, of ten without.
    resolution = options.get(_TIME_RESOLUTION, b"\x06")[:1] or b"\x06"
    exponent = resolution[0] & 127
    ticks = 2**exponent if resolution[0] & 128 else 10**exponent
    offset = options.get(_TIME_OFFSET, b"")
    offset_s = struct.unpack(order + "q", offset)[0] if len(offset) == 8 else 0
    return _Interface(link, snap_length, ticks, offset_s)


def _options(order: str, data: bytes) -> dict[int, bytes]:
    options: dict[int, bytes] = {}
    place = 0
    while place + 4 <= len(data):
        code, length = struct.unpack_from(order + "HH", data, place)
        if code == 0:
            break
        options[code] = data[place + 4 : place + 4 + length]
        place += 4 + (length + 3) // 4 * 4
    return options


def _enhanced(section: _Section, body: bytes) -> Packet:
    number, high, low, kept, length = struct.unpack_from(section.order + "IIIII", body)
    return _timed(section, number, high << 32 | low, body[20:], kept, length)


def _old(section: _Section, body: bytes) -> Packet:
    number, _, high, low, kept, length = struct.unpack_from(section.order + "HHIIII", body)
    return _timed(section, number, high << 32 | low, body[20:], kept, length)


def _simple(section: _Section, body: bytes) -> Packet:
    """A packet of the first interface, without a time."""
    (length,) = struct.unpack_from(section.order + "I", body)
    interface = section.interfaces[0]
    kept = min(length, interface.snap_length or length, len(body) - 4)
    return Packet(interface.link, 0, body[4 : 4 + kept], whole=kept >= length)


def _timed(section: _Section, number: int, time: int, data: bytes, kept: int, length: int) -> Packet:
    interface = section.interfaces[number]
    if kept > len(data):
        raise IndexError
    second = time // interface.ticks_a_second + interface.offset_s
    if not 0 <= second < _MAX_SECOND:
        raise LeftOut(BAD_TIME, f"second {second}")
    return Packet(interface.link, second, data[:kept], whole=kept >= length)


_PACKETS: Final = {_PACKET: _enhanced, _OLD_PACKET: _old, _SIMPLE_PACKET: _simple}
