"""What a resolver was just answered: the shape that everything behind the tap works on.

Names are wire names (see wire_names), addresses the octets of an A or AAAA record.
"""

from __future__ import annotations

import functools
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple

from resolver.wire_names import to_text

# Of one name: the transformer looks at no more, and many answers of one name must not cost others.
_MAX_RECORDS: Final = 16
_MAX_BYTES: Final = 1024

A: Final = 1
NS: Final = 2
CNAME: Final = 5
AAAA: Final = 28
TYPE_NAMES: Final = {A: "A", NS: "NS", CNAME: "CNAME", AAAA: "AAAA"}
ADDRESS_TYPES: Final = (A, AAAA)


class Record(NamedTuple):
    """A resource record of an answer, of one of the types of TYPE_NAMES."""

    owner: bytes
    rtype: int
    rdata: bytes
    """the name that a CNAME or NS leads to, or an address of 4 or 16 octets"""


class Observation(NamedTuple):
    """One answer of a resolver."""

    name: bytes
    qtype: int
    rcode: int
    time_s: int
    """seconds since 1970"""
    records: tuple[Record, ...]
    """of the answer and authority sections, as they came"""
    upstream: bool = False
    """whether a server that the resolver asked said so, which speaks for its own zone only"""
    zone: bytes | None = None
    """the zone that this server was asked as a server of, where that is known"""


@functools.lru_cache(maxsize=1 << 14)
def address_of(octets: bytes) -> IPv4Address | IPv6Address:
    """The address of a record's data."""
    return ip_address(octets)


def rdata_text(record: Record) -> str:
    """A record's data as zone files write it."""
    return str(address_of(record.rdata)) if record.rtype in ADDRESS_TYPES else to_text(record.rdata)


def answers_text(records: tuple[Record, ...]) -> str:
    r"""Records in the transformer's notation of `answers`.

    >>> answers_text((Record(b"\1a", CNAME, b"\1b\7example"), Record(b"\1b\7example", A, b"\xc0\0\2\1")))
    'CNAME b.example, A 192.0.2.1'
    """
    entries: list[str] = []
    room = _MAX_BYTES
    for record in records:
        entry = f"{TYPE_NAMES[record.rtype]} {rdata_text(record)}"
        # One that is too long leaves room for others.
        if len(entry) + 2 <= room:
            room -= len(entry) + 2
            entries.append(entry)
        if len(entries) == _MAX_RECORDS:
            break
    return ", ".join(entries)
