"""The zone's records on the wire, and the messages of a transfer (RFC 5936, RFC 1995); pure.

Records are packed here and not by a library, as a zone of 100,000 names is sent while datagrams are answered.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import dns.name
from dns.rdatatype import CNAME, NS, SOA

from resolver.rpz.zone import Change, Zone

_FIXED: Final = struct.Struct("!HHIH")
_IN: Final = 1
# Every message repeats the question, whose name stands behind the header: the zone's.
_ORIGIN: Final = b"\xc0\x0c"
_SOA_TIMES: Final = struct.Struct("!IIIII")
REFRESH_S, RETRY_S, EXPIRE_S, MINIMUM_S = 5, 5, 7 * 86400, 30
# What a resolver does about a name (draft-vixie-dnsop-dns-rpz, section 3).
NXDOMAIN: Final = b"\x00"
PASSTHRU: Final = b"\x0crpz-passthru\x00"
_LOCALHOST: Final = b"\x09localhost\x00"
_MAX_NAME: Final = 255
# Leaves room for header, question and signature in 64 KiB.
MAX_ANSWERS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Records:
    """How this zone's names are written."""

    origin: dns.name.Name
    ttl_s: int
    target: bytes
    """NXDOMAIN or PASSTHRU"""

    def fits(self, name: str) -> bool:
        """Whether a name with the zone's behind it is one still."""
        try:
            return len(dns.name.from_text(name, self.origin)) > 0
        except (dns.name.NameTooLong, dns.name.LabelTooLong, dns.name.EmptyLabel, dns.name.BadEscape):
            return False

    def soa(self, serial: int) -> bytes:
        """The record that begins and ends a transfer."""
        times = _SOA_TIMES.pack(serial, REFRESH_S, RETRY_S, EXPIRE_S, MINIMUM_S)
        return _record(_ORIGIN, SOA, self.ttl_s, _LOCALHOST + b"\x0ahostmaster" + _ORIGIN + times)

    def name(self, name: str) -> bytes:
        """The record of a name."""
        return _record(_labels(name) + _ORIGIN, CNAME, self.ttl_s, self.target)

    def whole(self, zone: Zone) -> Iterator[bytes]:
        """All records, as AXFR sends them."""
        yield self.soa(zone.serial)
        yield _record(_ORIGIN, NS, self.ttl_s, _LOCALHOST)
        # A copy: names come and go while the transfer waits for its peer.
        yield from map(self.name, list(zone.names))
        yield self.soa(zone.serial)

    def difference(self, changes: list[Change], serial: int) -> Iterator[bytes]:
        """The changes up to a serial, as IXFR sends them; the serial alone where there are none."""
        yield self.soa(serial)
        for change in changes:
            yield self.soa(change.before)
            yield from map(self.name, change.removed)
            yield self.soa(change.serial)
            yield from map(self.name, change.added)
        if changes:
            yield self.soa(serial)


def in_messages(records: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """The answer sections that records are sent in, each with how many are in it."""
    gathered: list[bytes] = []
    size = 0
    for record in records:
        if size + len(record) > MAX_ANSWERS:
            yield b"".join(gathered), len(gathered)
            gathered, size = [], 0
        gathered.append(record)
        size += len(record)
    yield b"".join(gathered), len(gathered)


def _record(owner: bytes, rtype: int, ttl_s: int, rdata: bytes) -> bytes:
    return owner + _FIXED.pack(rtype, _IN, ttl_s, len(rdata)) + rdata


def _labels(name: str) -> bytes:
    if "\\" in name:
        labels = dns.name.from_text(name, None).labels
    else:
        labels = tuple(name.encode("ascii").split(b"."))
    return b"".join(len(label).to_bytes(1, "big") + label for label in labels)
