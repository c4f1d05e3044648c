"""DNS messages as far as a sidecar needs them: the question, and addresses, aliases and name servers.

A message costs microseconds here where a full parser takes a hundred: frames not read in time are lost.
Nothing of a message is trusted: lengths, pointers and counts are bounded (RFC 1035, section 4).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, NamedTuple

from resolver.observations import AAAA, CNAME, NS, A, Record
from resolver.wire_names import MAX_LABEL, MAX_OCTETS

_HEADER: Final = struct.Struct("!HHHHHH")
_QUESTION: Final = struct.Struct("!HH")
_RECORD: Final = struct.Struct("!HHIH")
_IN: Final = 1
_POINTER: Final = 0xC0
_MAX_JUMPS: Final = 32
_MAX_RECORDS: Final = 64
_RESPONSE: Final = 0x8000


class BrokenMessage(Exception):
    """No response with one question; the message says what is wrong."""


class _BrokenRecord(Exception):
    """A record that says nothing; those beside it may be whole."""


class Response(NamedTuple):
    """What was asked, and what was answered of the types that we keep."""

    name: bytes
    qtype: int
    rcode: int
    records: tuple[Record, ...]
    broken_records: int
    """records that could not be read; whoever owns the name may have put them there"""


def read_response(wire: bytes) -> Response:
    """Read a response; of its records those that are whole, whatever stands beside them.

    Raises:
        BrokenMessage: no response, not one question, or a question that leaves the message.
    """
    try:
        _, flags, questions, answers, authorities, _ = _HEADER.unpack_from(wire)
        if not flags & _RESPONSE:
            raise BrokenMessage("no response")
        if questions != 1:
            raise BrokenMessage(f"{questions} questions")
        name, place = read_name(wire, _HEADER.size)
        qtype, qclass = _QUESTION.unpack_from(wire, place)
        if qclass != _IN:
            raise BrokenMessage(f"class {qclass}")
    except (struct.error, IndexError):
        raise BrokenMessage("cut short") from None
    count = min(answers + authorities, _MAX_RECORDS)
    records, broken = _records(wire, place + 4, count) if count else ((), 0)
    return Response(name, qtype, flags & 15, records, broken)


def _records(wire: bytes, place: int, count: int) -> tuple[tuple[Record, ...], int]:
    """The first records that are whole, and how many are not; where one's end is not known, reading ends."""
    found: list[Record] = []
    broken = 0
    for number in range(count):
        start = place
        try:
            place = _skip(wire, place)
            rtype, rclass, _, length = _RECORD.unpack_from(wire, place)
        except (struct.error, IndexError, BrokenMessage):
            return tuple(found), broken + count - number
        place += _RECORD.size
        if rclass == _IN and rtype in _RDATA:
            try:
                found.append(Record(read_name(wire, start)[0], rtype, _RDATA[rtype](wire, place, length)))
            except (_BrokenRecord, BrokenMessage, IndexError):
                broken += 1
        place += length
    return tuple(found), broken


def _address(octets: int) -> Callable[[bytes, int, int], bytes]:
    def read(wire: bytes, place: int, length: int) -> bytes:
        address = wire[place : place + length]
        if len(address) != octets:
            raise _BrokenRecord
        return address

    return read


def _target(wire: bytes, place: int, length: int) -> bytes:
    name, end = read_name(wire, place)
    if end != place + length:
        raise _BrokenRecord
    return name


_RDATA: Final = {A: _address(4), AAAA: _address(16), CNAME: _target, NS: _target}


def _skip(wire: bytes, place: int) -> int:
    """The place after a name."""
    while length := wire[place]:
        if length >= _POINTER:
            return place + 2
        if length > MAX_LABEL:
            raise BrokenMessage("label of an unknown kind")
        place += 1 + length
    return place + 1


def read_name(wire: bytes, place: int) -> tuple[bytes, int]:
    """A wire name, and the place after it in the message.

    Raises:
        BrokenMessage: more than 255 octets, pointers in a circle, or a label of an unknown kind.
        IndexError: it leaves the message.
    """
    start = place
    parts = []
    end = -1
    jumps = 0
    while length := wire[place]:
        if length <= MAX_LABEL:
            place += 1 + length
            if place - start > MAX_OCTETS:
                raise BrokenMessage("name of more than 255 octets")
            continue
        if length < _POINTER:
            raise BrokenMessage("label of an unknown kind")
        jumps += 1
        if jumps > _MAX_JUMPS:
            raise BrokenMessage("pointers in a circle")
        parts.append(wire[start:place])
        end = place + 2 if end < 0 else end
        start = place = (length & 63) << 8 | wire[place + 1]
    parts.append(wire[start:place])
    name = b"".join(parts)
    if len(name) > MAX_OCTETS:
        raise BrokenMessage("name of more than 255 octets")
    # Lengths are below the capital letters, so that this changes labels alone.
    return name.lower(), place + 1 if end < 0 else end
