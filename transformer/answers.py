"""Read what a resolver just saw for a name: ``A 192.0.2.1, NS ns1.example.net, CNAME x.example``."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from transformer.domain_name import DomainName, NotADomainName, parse_domain

ADDRESS_TYPES: Final = ("A", "AAAA")
NAME_TYPES: Final = ("NS", "CNAME")
RECORD_TYPES: Final = ADDRESS_TYPES + NAME_TYPES
MAX_ANSWERS: Final = 64
MAX_ANSWERS_BYTES: Final = 8192

_SHOWN_CHARACTERS: Final = 80


class UnreadableAnswers(ValueError):
    """The text is no list of answers; ``str(error)`` names the bad item or the limit that was passed."""


class UnreadableRecord(ValueError):
    """One record of another type, or a value that does not fit the type."""


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


def parse_answers(raw: bytes | str) -> tuple[Answer, ...]:
    """Read comma-separated records; no text, no answers.

    >>> [answer.kind for answer in parse_answers("a 192.0.2.1, ns NS1.Example.net.")]
    ['A', 'NS']

    Raises:
        UnreadableAnswers: too many, too long, or an item that is not ``TYPE value``.
    """
    text = _decode(raw)
    if not text.strip():
        return ()
    items = text.split(",")
    if len(items) > MAX_ANSWERS:
        raise UnreadableAnswers(f"more than {MAX_ANSWERS} answers ({len(items)})")
    return tuple(_parse_item(item.strip()) for item in items)


def _decode(raw: bytes | str) -> str:
    try:
        octets = raw.encode() if isinstance(raw, str) else raw
        if len(octets) > MAX_ANSWERS_BYTES:
            raise UnreadableAnswers(f"longer than {MAX_ANSWERS_BYTES} bytes ({len(octets)})")
        return octets.decode()
    except UnicodeError:
        raise UnreadableAnswers("not UTF-8") from None


def _parse_item(item: str) -> Answer:
    kind, *values = item.split()[:3] or [""]
    if len(values) != 1:
        raise UnreadableAnswers(f"expected 'TYPE value', got {_shown(item)}")
    try:
        return parse_record(kind, values[0])
    except UnreadableRecord as problem:
        raise UnreadableAnswers(f"{_shown(item)}: {problem}") from None


def _shown(item: str) -> str:
    return repr(item if len(item) <= _SHOWN_CHARACTERS else f"{item[:_SHOWN_CHARACTERS]}...")


def parse_record(kind: str, value: str) -> Answer:
    """Check one record and bring its value to canonical form.

    >>> parse_record("aaaa", "2001:DB8::0:1").address
    '2001:db8::1'

    Raises:
        UnreadableRecord: with the type or the problem of the value.
    """
    kind = kind.upper()
    if kind in ADDRESS_TYPES:
        return Answer(kind, _canonical_address(kind, value), None)
    if kind in NAME_TYPES:
        return Answer(kind, "", _parse_target(value))
    raise UnreadableRecord(f"type {_shown(kind)} is none of {', '.join(RECORD_TYPES)}")


def _canonical_address(kind: str, value: str) -> str:
    try:
        if kind == "A":
            return str(ipaddress.IPv4Address(value))
        address = ipaddress.IPv6Address(value)
    except ipaddress.AddressValueError:
        address = None
    # A zone (fe80::1%eth0) means something on one host only.
    if address is None or address.scope_id:
        raise UnreadableRecord(f"not an IPv{4 if kind == 'A' else 6} address")
    return str(address)


def _parse_target(value: str) -> DomainName:
    try:
        return parse_domain(value)
    except NotADomainName as problem:
        raise UnreadableRecord(f"not a name: {problem}") from None
