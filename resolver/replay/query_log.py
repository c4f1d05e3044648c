"""Query logs: CSV with a header, as Zeek's dns.log, and packet captures."""

from __future__ import annotations

import csv
import gzip
import ipaddress
import struct
from collections.abc import Iterable, Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Any, Final

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

_TTL_S: Final = 60
_PCAP: Final = {
    b"\xd4\xc3\xb2\xa1": "<",
    b"\xa1\xb2\xc3\xd4": ">",
    b"\x4d\x3c\xb2\xa1": "<",
    b"\xa1\xb2\x3c\x4d": ">",
}
_MAX_PACKET: Final = 1 << 18
_MAX_SECOND: Final = 1 << 32
_ETHERNET: Final = 1
# Octets before the IP header by link type (tcpdump.org/linktypes.html): BSD loopback, Ethernet, raw IP, Linux
# cooked, IPv4, IPv6, and Linux cooked v2, which is what `tcpdump -i any` writes.
_LINK_OCTETS: Final = {0: 4, _ETHERNET: 14, 101: 0, 113: 16, 228: 0, 229: 0, 276: 20}
_UDP: Final = 17
_KNOWN_TYPES: Final = frozenset(kind.name for kind in dns.rdatatype.RdataType)
# Other types answer with what is neither an address nor an alias.
_FOLLOWED: Final = frozenset({"A", "AAAA", "CNAME"})


class UnusableLog(Exception):
    """A file that is neither a query log nor a capture; the message says what was expected."""


def responses(path: Path) -> Iterator[tuple[bytes, int]]:
    """Each response on the wire, and its second since 1970.

    Raises:
        UnusableLog: another format, a row that is none, or a compressed file that is cut short. A capture
            may end in a packet, as those of a `tcpdump` that was killed do.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
        opener: Any = gzip.open if start[:2] == b"\x1f\x8b" else open
        with opener(path, "rb") as file:
            start = file.read(4)
        if start in _PCAP:
            with opener(path, "rb") as file:
                yield from _captured(path, file)
        else:
            with opener(path, "rt", encoding="utf-8", newline="") as file:
                yield from _logged(path, file)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise UnusableLog(f"{path}: {error}") from None


def _logged(path: Path, file: Iterable[str]) -> Iterator[tuple[bytes, int]]:
    rows = csv.DictReader(file)
    missing = {"ts", "query", "qtype", "rcode", "answers"} - set(rows.fieldnames or ())
    if missing:
        raise UnusableLog(f"{path}: no column {', '.join(sorted(missing))}, and no packet capture")
    for row in rows:
        if row["query"] is None or None in (row["qtype"], row["rcode"], row["answers"], row["ts"]):
            raise UnusableLog(f"{path}: line {rows.line_num} has too few columns")
        wire = _response(row["query"], row["qtype"], row["rcode"], row["answers"])
        if wire is not None:
            yield wire, _second(path, rows.line_num, row["ts"])


def _second(path: Path, line: int, text: str) -> int:
    """The second of a row; 0 where it is not said."""
    try:
        second = int(float(text or 0))
    except (ValueError, OverflowError):
        second = -1
    if not 0 <= second < _MAX_SECOND:
        raise UnusableLog(f"{path}: line {line}: ts {text[:40]!r}, expected seconds since 1970")
    return second


def _response(query: str, qtype: str, rcode: str, answers: str) -> bytes | None:
    """The response that a row tells of; None where its name cannot stand in a message."""
    try:
        message = dns.message.make_query(query, qtype if qtype in _KNOWN_TYPES else "A")
        message.flags |= dns.flags.QR | dns.flags.RA
        message.set_rcode(dns.rcode.NOERROR if rcode in ("", "-") else dns.rcode.from_text(rcode))
        owner = query
        for data in answers.split(",") if qtype in _FOLLOWED else ():
            kind = _type_of(data)
            if kind:
                text = f"{data.rstrip('.')}." if kind == "CNAME" else data
                message.answer.append(dns.rrset.from_text(f"{owner.rstrip('.')}.", _TTL_S, "IN", kind, text))
                owner = data if kind == "CNAME" else owner
        return message.to_wire()
    except (dns.exception.DNSException, ValueError):
        return None


def _type_of(data: str) -> str:
    """What a logged datum is; "" for what is neither an address nor a name, such as signatures."""
    try:
        return "A" if ipaddress.ip_address(data).version == 4 else "AAAA"
    except ValueError:
        return "CNAME" if data and " " not in data else ""


def _captured(path: Path, file: BufferedIOBase) -> Iterator[tuple[bytes, int]]:
    order = _PCAP[file.read(4)]
    header = file.read(20)
    if len(header) < 20:
        raise UnusableLog(f"{path}: cut short")
    link = struct.unpack_from(order + "I", header, 16)[0] & 0xFFFF
    if link not in _LINK_OCTETS:
        raise UnusableLog(f"{path}: link type {link}, expected Ethernet, loopback, raw IP or Linux cooked")
    while len(record := file.read(16)) == 16:
        seconds, _, length, _ = struct.unpack(order + "IIII", record)
        if length > _MAX_PACKET:
            raise UnusableLog(f"{path}: a packet of {length} octets")
        payload = _dns_of(file.read(length)[_LINK_OCTETS[link] :], tagged=link == _ETHERNET)
        if payload:
            yield payload, seconds


def _dns_of(packet: bytes, *, tagged: bool) -> bytes:
    """The DNS response in an IP packet from UDP port 53; empty where there is none."""
    if tagged and packet[:1] and packet[0] >> 4 not in (4, 6):
        # An 802.1Q tag stands before the IP header.
        packet = packet[4:]
    if len(packet) < 28:
        return b""
    version = packet[0] >> 4
    if version == 4:
        protocol, start = packet[9], (packet[0] & 15) * 4
    elif version == 6:
        protocol, start = packet[6], 40
    else:
        return b""
    if protocol != _UDP or packet[start : start + 2] != b"\x00\x35":
        return b""
    return packet[start + 8 :]
