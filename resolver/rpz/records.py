"""The zone's records on the wire, and the messages of a transfer (RFC 5936, RFC 1995); pure.

Records are packed here and not by a library, as a zone of 100,000 names is sent while datagrams are answered.
Before they are served a library of another make reads them back, see `misread`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.name
import dns.wire
from dns.rdatatype import CNAME, NS, SOA

from resolver.rpz.rules import Rule
from resolver.rpz.zone import Change, Zone

_FIXED: Final = struct.Struct("!HHIH")
_IN: Final = 1
# Every message repeats the question, whose name stands behind the header: the zone's.
_ORIGIN: Final = b"\xc0\x0c"
_HEADER_OCTETS: Final = 12
_SOA_TIMES: Final = struct.Struct("!IIIII")
REFRESH_S, RETRY_S, EXPIRE_S, MINIMUM_S = 5, 5, 7 * 86400, 30
_LOCALHOST: Final = b"\x09localhost\x00"
# Leaves room for header, question and signature in 64 KiB.
MAX_ANSWERS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Records:
    """How this zone's rules are written."""

    origin: dns.name.Name
    ttl_s: int

    def soa(self, serial: int) -> bytes:
        """The record that begins and ends a transfer."""
        times = _SOA_TIMES.pack(serial, REFRESH_S, RETRY_S, EXPIRE_S, MINIMUM_S)
        return _record(_ORIGIN, SOA, self.ttl_s, _LOCALHOST + b"\x0ahostmaster" + _ORIGIN + times)

    def rule(self, rule: Rule) -> bytes:
        """The record of a rule."""
        return _record(rule.owner + _ORIGIN, CNAME, self.ttl_s, rule.target)

    def whole(self, zone: Zone) -> Iterator[bytes]:
        """All records, as AXFR sends them."""
        yield self.soa(zone.serial)
        yield _record(_ORIGIN, NS, self.ttl_s, _LOCALHOST)
        # A copy: rules come and go while the transfer waits for its peer.
        yield from map(self.rule, list(zone.rules))
        yield self.soa(zone.serial)

    def difference(self, changes: list[Change], serial: int) -> Iterator[bytes]:
        """The changes up to a serial, as IXFR sends them; the serial alone where there are none."""
        yield self.soa(serial)
        for change in changes:
            yield self.soa(change.before)
            yield from map(self.rule, change.removed)
            yield self.soa(change.serial)
            yield from map(self.rule, change.added)
        if changes:
            yield self.soa(serial)

    def misread(self, rules: Iterable[Rule]) -> list[Rule]:
        """Rules whose record another parser reads as something else: none, unless there is a bug here."""
        return [rule for rule in rules if not self._is_read_as_meant(rule)]

    def _is_read_as_meant(self, rule: Rule) -> bool:
        start = bytes(_HEADER_OCTETS) + (self.origin.to_wire() or b"")
        parser = dns.wire.Parser(start + self.rule(rule), len(start))
        try:
            owner = parser.get_name(decompress=True)
            rtype, rclass, _, length = parser.get_struct("!HHIH")
            with parser.restrict_to(length):
                target = parser.get_name()
        except dns.exception.DNSException:
            return False
        below = owner.relativize(self.origin)
        return (
            (rtype, rclass, parser.remaining()) == (CNAME, _IN, 0)
            and owner.is_subdomain(self.origin)
            and b"".join(len(label).to_bytes(1, "big") + label for label in below.labels) == rule.owner
            and target.to_wire() == rule.target
        )


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
