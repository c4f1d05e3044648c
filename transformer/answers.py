"""Read what a resolver just saw for a name: ``AAAA 3ffe:b00::66, NS ns1.example.net, CNAME x.example``.

Whoever owns the name decides what stands there. So every entry counts for itself: one that cannot be used is
named and left out, and changes nothing of what the others say.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Final

from contract.address_space import kind_of, may_be_evidence
from transformer.domain_name import DomainName, NotADomainName, parse_domain

ADDRESS_TYPES: Final = ("A", "AAAA")
NAME_TYPES: Final = ("NS", "CNAME")
RECORD_TYPES: Final = ADDRESS_TYPES + NAME_TYPES
# Different usable records of one type; as much as is read at all, so that junk costs little.
MAX_ANSWERS: Final = 64
MAX_ENTRIES: Final = 256
MAX_ANSWERS_BYTES: Final = 8192

# Entries that are named in a status, and characters that are shown of each and of what is wrong with it.
_NAMED: Final = 3
_SHOWN_CHARACTERS: Final = 60
_REASON_CHARACTERS: Final = 120


class UnusableRecord(ValueError):
    """One record of another type, a value that does not fit its type, or one that is no evidence."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One record about a name.

    kind: one of RECORD_TYPES.
    address: canonical text of an A or AAAA record's address, "" for the other types.
    name: where an NS or CNAME record points, None for the other types.
    """

    kind: str
    address: str
    name: DomainName | None


@dataclass(slots=True)
class Ignored:
    """Entries that were left out: the first ones as text, the others counted."""

    named: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, entry: bytes, reason: str, count: int = 1) -> None:
        """Leave out an entry, or several of which this is the first."""
        self.count += count
        if len(self.named) < _NAMED:
            self.named.append(f"{_shown(entry)}: {reason[:_REASON_CHARACTERS]}")

    def __str__(self) -> str:
        """One line of at most a few hundred characters; empty where nothing was left out."""
        more = self.count - len(self.named)
        return "; ".join([*self.named, f"and {more} more"] if more else self.named)


@dataclass(frozen=True, slots=True)
class Answers:
    """What may be used of a text, each record once, and what of it may not."""

    records: tuple[Answer, ...] = ()
    ignored: Ignored = field(default_factory=Ignored)


def read_answers(raw: bytes | str, owner: DomainName, *, private: bool = False) -> Answers:
    """Read comma-separated records about a name; no text, no answers.

    A comma inside a name is written as the escape for its octet, 044: a plain one always ends an entry.

    Args:
        raw: ``TYPE value, TYPE value, …``.
        owner: whose records they are.
        private: whether addresses of private networks may be evidence.

    >>> answers = read_answers("aaaa 3ffe:b00::66, NS ., ns NS1.Example.net.", parse_domain("a.test"))
    >>> [answer.kind for answer in answers.records], str(answers.ignored)
    (['AAAA', 'NS'], "'NS .': not a name: empty")
    """
    octets = raw.encode(errors="surrogatepass") if isinstance(raw, str) else raw
    if not octets.strip():
        return Answers()
    entries = octets.split(b",", MAX_ENTRIES)
    beyond = entries[MAX_ENTRIES:]
    found: dict[Answer, None] = {}
    ignored, room = Ignored(), _Room()
    for entry in entries[:MAX_ENTRIES]:
        try:
            room.take_bytes(entry)
            answer = _usable(entry, owner, private=private)
            if answer not in found:
                room.take_record(answer.kind)
                found[answer] = None
        except UnusableRecord as problem:
            ignored.add(entry, str(problem))
    for rest in beyond:
        ignored.add(rest.partition(b",")[0], f"beyond {MAX_ENTRIES} entries", 1 + rest.count(b","))
    return Answers(tuple(found), ignored)


class _Room:
    """What still fits of one text: one entry that does not leaves room for others."""

    def __init__(self) -> None:
        self._bytes = MAX_ANSWERS_BYTES
        self._records = dict.fromkeys(RECORD_TYPES, MAX_ANSWERS)

    def take_bytes(self, entry: bytes) -> None:
        if len(entry) > self._bytes:
            raise UnusableRecord(f"beyond {MAX_ANSWERS_BYTES} bytes")
        # The comma counts, too.
        self._bytes -= len(entry) + 1

    def take_record(self, kind: str) -> None:
        if not self._records[kind]:
            raise UnusableRecord(f"beyond {MAX_ANSWERS} records of its type")
        self._records[kind] -= 1


def _usable(entry: bytes, owner: DomainName, *, private: bool) -> Answer:
    try:
        words = entry.decode().split()
    except UnicodeDecodeError:
        raise UnusableRecord("not UTF-8") from None
    if len(words) != 2:
        raise UnusableRecord("expected 'TYPE value'")
    answer = parse_record(*words, private=private)
    if answer.kind == "CNAME" and answer.name == owner:
        raise UnusableRecord("an alias of itself")
    return answer


def _shown(entry: bytes) -> str:
    # No character is longer than four bytes.
    text = entry.strip()[: 4 * _SHOWN_CHARACTERS + 1].decode(errors="backslashreplace")
    return repr(text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}...")


def parse_record(kind: str, value: str, *, private: bool = False) -> Answer:
    """Check one record and bring its value to canonical form.

    >>> parse_record("aaaa", "3FFE:B00::0:1").address
    '3ffe:b00::1'

    Raises:
        UnusableRecord: with the type or the problem of the value.
    """
    kind = kind.upper()
    if kind in ADDRESS_TYPES:
        return Answer(kind, _evident_address(kind, value, private=private), None)
    if kind in NAME_TYPES:
        return Answer(kind, "", _parse_target(value))
    raise UnusableRecord(f"type {kind[:_SHOWN_CHARACTERS]!r} is none of {', '.join(RECORD_TYPES)}")


def _evident_address(kind: str, value: str, *, private: bool) -> str:
    address = _address(kind, value)
    if not may_be_evidence(address, private=private):
        raise UnusableRecord(f"special-purpose address ({kind_of(address)})")
    return str(address)


def _address(kind: str, value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        if kind == "A":
            return ipaddress.IPv4Address(value)
        address = ipaddress.IPv6Address(value)
        # A zone (fe80::1%eth0) means something on one host only.
        if address.scope_id is None:
            return address
    except ipaddress.AddressValueError:
        pass
    raise UnusableRecord(f"not an IPv{4 if kind == 'A' else 6} address")


def _parse_target(value: str) -> DomainName:
    try:
        return parse_domain(value)
    except NotADomainName as problem:
        raise UnusableRecord(f"not a name: {problem}") from None
