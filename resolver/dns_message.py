"""DNS messages as far as a sidecar needs them: the question, and addresses, aliases and name servers.

A message costs microseconds here where a full parser takes a hundred: frames not read in time are lost.
Nothing of a message is trusted: lengths, pointers and counts are bounded (RFC 1035, section 4).
"""

from __future__ import annotations

import functools
import struct
from ipaddress import IPv6Address
from typing import Final

from resolver.observations import AAAA, CNAME, NS, A, Record

_HEADER: Final = struct.Struct("!HHHHHH")
_QUESTION: Final = struct.Struct("!HH")
_RECORD: Final = struct.Struct("!HHIH")
_IN: Final = 1
_POINTER: Final = 0xC0
_MAX_JUMPS: Final = 32
_MAX_NAME: Final = 255
_MAX_RECORDS: Final = 64
_RESPONSE: Final = 0x8000


class BrokenMessage(Exception):
    """No DNS message with one question; the message says what is wrong."""


def read_response(wire: bytes) -> tuple[str, int, int, tuple[Record, ...]]:
    """Name, type and response code of a response, and its records of the types that we keep.

    Raises:
        BrokenMessage: no response, not one question, or a name or record that leaves the message.
    """
    try:
        _, flags, questions, answers, authorities, _ = _HEADER.unpack_from(wire)
        if not flags & _RESPONSE:
            raise BrokenMessage("no response")
        if questions != 1:
            raise BrokenMessage(f"{questions} questions")
        name, place = _name(wire, _HEADER.size)
        qtype, qclass = _QUESTION.unpack_from(wire, place)
        if qclass != _IN:
            raise BrokenMessage(f"class {qclass}")
        count = min(answers + authorities, _MAX_RECORDS)
        records = _records(wire, place + 4, count) if count else ()
    except (struct.error, IndexError):
        raise BrokenMessage("cut short") from None
    return name, qtype, flags & 15, records


def _records(wire: bytes, place: int, count: int) -> tuple[Record, ...]:
    found = []
    for _ in range(count):
        start = place
        place = _skip(wire, place)
        rtype, rclass, _, length = _RECORD.unpack_from(wire, place)
        place += 10
        if place + length > len(wire):
            raise BrokenMessage("record cut short")
        if rclass == _IN and rtype in _RDATA:
            found.append(Record(_name(wire, start)[0], rtype, _RDATA[rtype](wire, place, length)))
        place += length
    return tuple(found)


def _address4(wire: bytes, place: int, length: int) -> str:
    if length != 4:
        raise BrokenMessage(f"A record of {length} octets")
    return f"{wire[place]}.{wire[place + 1]}.{wire[place + 2]}.{wire[place + 3]}"


def _address6(wire: bytes, place: int, length: int) -> str:
    if length != 16:
        raise BrokenMessage(f"AAAA record of {length} octets")
    return _ipv6(wire[place : place + 16])


def _target(wire: bytes, place: int, length: int) -> str:
    name, end = _name(wire, place)
    if end != place + length:
        raise BrokenMessage("name of a record of another length")
    return name


_RDATA: Final = {A: _address4, AAAA: _address6, CNAME: _target, NS: _target}


@functools.lru_cache(maxsize=1 << 14)
def _ipv6(packed: bytes) -> str:
    return str(IPv6Address(packed))


def _skip(wire: bytes, place: int) -> int:
    """The place after a name."""
    while length := wire[place]:
        if length >= _POINTER:
            return place + 2
        if length > 63:
            raise BrokenMessage("label of an unknown kind")
        place += 1 + length
    return place + 1


def _name(wire: bytes, place: int) -> tuple[str, int]:
    """A name in presentation format, and the place after it."""
    labels = []
    end = -1
    octets = jumps = 0
    while length := wire[place]:
        if length >= _POINTER:
            if end < 0:
                end = place + 2
            jumps += 1
            if jumps > _MAX_JUMPS:
                raise BrokenMessage("pointers in a circle")
            place = (length & 63) << 8 | wire[place + 1]
            continue
        if length > 63:
            raise BrokenMessage("label of an unknown kind")
        label = wire[place + 1 : place + 1 + length]
        if len(label) != length:
            raise BrokenMessage("name cut short")
        octets += 1 + length
        if octets >= _MAX_NAME:
            raise BrokenMessage("name of more than 255 octets")
        labels.append(label)
        place += 1 + length
    return _presented(b".".join(labels), tuple(labels)), place + 1 if end < 0 else end


def _presented(joined: bytes, labels: tuple[bytes, ...]) -> str:
    # Almost every name is letters, digits, hyphens and underscores; one check instead of one for each label.
    if joined.count(b".") == len(labels) - 1 and joined.translate(None, _PLAIN) == b"":
        return joined.lower().decode("ascii")
    return ".".join(_escaped(label) for label in labels)


_PLAIN: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."


def _escaped(label: bytes) -> str:
    return "".join(
        chr(octet) if chr(octet).encode() in _PLAIN[:-1] else f"\\{octet:03d}" for octet in label.lower()
    )
