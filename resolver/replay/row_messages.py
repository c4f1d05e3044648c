"""The DNS message that a row of a text log tells of."""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import Final, NamedTuple

import dns.exception
import dns.name
import dns.rcode
import dns.rdatatype

from resolver.observations import AAAA, CNAME, NS, A
from resolver.replay.report import BAD_NAME, BAD_ROW, BAD_TIME, LeftOut, Report, quoted

UNSET: Final = ("", "-")
_TTL_S: Final = 60
_MAX_SECOND: Final = 1 << 32
# 255 octets, each as \DDD.
_MAX_NAME_TEXT: Final = 1100
# As many as are looked at in any message.
_MAX_RECORDS: Final = 64
_RESPONSE_FLAGS: Final = 0x8180
# Other types answer with what is neither an address nor an alias.
_FOLLOWED: Final = frozenset({A, AAAA, CNAME})
_TYPE_NUMBER: Final = re.compile(r"(?:TYPE|QUERY-)?([0-9]{1,5})")
_NUMBER: Final = re.compile(r"[0-9]{1,20}(?:[.,][0-9]*)?(?:[eE]\+?[0-9]{1,2})?")
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|(.))|([\udc80-\udcff])", re.DOTALL)


class Datum(NamedTuple):
    """One record of an answer, as text."""

    owner: str
    rtype: int
    data: str


def second_of(text: str) -> int:
    """The second since 1970 of a time as logs write it; 0 where it is not said.

    >>> second_of("1700000000.5"), second_of("2023-11-14T22:13:20.123456789Z"), second_of("")
    (1700000000, 1700000000, 0)

    Raises:
        LeftOut: no time, or one outside the 32 bits that captures have for it.
    """
    text = text.strip()
    if not text:
        return 0
    try:
        second = int(float(text.replace(",", "."))) if _NUMBER.fullmatch(text) else _by_calendar(text)
    except (ValueError, OverflowError):
        second = -1
    if not 0 <= second < _MAX_SECOND:
        raise LeftOut(BAD_TIME, f"ts {quoted(text)}, expected seconds since 1970 or RFC 3339 with its zone")
    return second


def _by_calendar(text: str) -> int:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("no zone")
    return int(time.timestamp())


def type_of(text: str) -> int:
    """A type by name or number; 0 where it is not said or not known, which nobody need know of a question.

    >>> type_of("aaaa"), type_of("TYPE65"), type_of("query-65"), type_of("28"), type_of("-"), type_of("*")
    (28, 65, 65, 28, 0, 255)
    """
    name = text.strip().upper()
    number = _TYPE_NUMBER.fullmatch(name)
    if number:
        return int(number[1]) if int(number[1]) < 1 << 16 else 0
    try:
        return int(dns.rdatatype.from_text("ANY" if name == "*" else name))
    except (dns.exception.DNSException, ValueError):
        return 0


def rcode_of(text: str) -> int:
    """A response code by name or number; NOERROR where none is said, as of a question without an answer.

    Raises:
        LeftOut: none that is known.
    """
    text = text.strip()
    try:
        return 0 if text in UNSET else int(dns.rcode.from_text(text))
    except (dns.exception.DNSException, ValueError):
        raise LeftOut(BAD_ROW, f"rcode {quoted(text)}") from None


def message(query: str, qtype: int, rcode: int, answers: Iterable[Datum], report: Report) -> bytes:
    """A response on the wire; answers that cannot stand in one are left out of it, and counted.

    Raises:
        LeftOut: the name of the question cannot.
    """
    question = wire_name(query.strip())
    records: list[bytes] = []
    for answer in answers:
        try:
            record = _record(answer)
        except (LeftOut, ValueError):
            report.answers_left_out += 1
            continue
        records += [record] if len(records) < _MAX_RECORDS else []
    # The upper bits of a code stand in EDNS, which nobody here reads.
    head = struct.pack("!HHHHHH", 0, _RESPONSE_FLAGS | rcode & 15, 1, len(records), 0, 0)
    return head + question + struct.pack("!HH", qtype or A, 1) + b"".join(records)


def chained(query: str, qtype: int, answers: Sequence[str]) -> Iterator[Datum]:
    """Aliases and addresses of a list, each owned by the alias before it; none of other types."""
    owner = query.strip()
    for text in answers if qtype in _FOLLOWED else ():
        data = text.strip()
        kind = _kind_of(data)
        if kind:
            yield Datum(owner, kind, data)
            owner = data if kind == CNAME and _can_own(data) else owner


def _can_own(name: str) -> bool:
    try:
        return bool(wire_name(name))
    except LeftOut:
        return False


def _kind_of(data: str) -> int:
    """What a logged datum is; 0 for what is neither an address nor a name, such as signatures."""
    if data in UNSET or " " in data:
        return 0
    try:
        return A if ip_address(data).version == 4 else AAAA
    except ValueError:
        return CNAME


def _record(answer: Datum) -> bytes:
    if answer.rtype in (CNAME, NS):
        data = wire_name(answer.data)
    else:
        data = ip_address(answer.data).packed
        if len(data) != (4 if answer.rtype == A else 16):
            raise ValueError(answer.data)
    return wire_name(answer.owner) + struct.pack("!HHIH", answer.rtype, 1, _TTL_S, len(data)) + data


def wire_name(text: str) -> bytes:
    r"""A name on the wire; of escapes both \DDD and Zeek's \xHH are known.

    >>> wire_name(r"w\x77w.example."), wire_name("@")
    (b'\x03www\x07example\x00', b'\x01@\x00')

    Raises:
        LeftOut: there is none, or it cannot stand in a message.
    """
    if text in UNSET or len(text) > _MAX_NAME_TEXT:
        raise LeftOut(BAD_NAME, quoted(text))
    try:
        return _wire_name(text)
    except (dns.exception.DNSException, ValueError):
        raise LeftOut(BAD_NAME, quoted(text)) from None


@functools.lru_cache(maxsize=1 << 14)
def _wire_name(text: str) -> bytes:
    text = _ESCAPE.sub(_as_decimals, text)
    # To dnspython this is the root.
    return dns.name.from_text(r"\@" if text == "@" else text, origin=dns.name.root).to_wire() or b""


def _as_decimals(found: re.Match[str]) -> str:
    if found[1]:
        return f"\\{int(found[1], 16):03d}"
    return f"\\{ord(found[3]) - 0xDC00:03d}" if found[3] else found[0]
