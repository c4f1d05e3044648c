"""What a resolver was just answered: the shape that everything behind the tap works on."""

from __future__ import annotations

from typing import Final, NamedTuple

# The transformer's limits for the answers of one name.
_MAX_RECORDS: Final = 64
_MAX_BYTES: Final = 8192

A: Final = 1
NS: Final = 2
CNAME: Final = 5
AAAA: Final = 28
TYPE_NAMES: Final = {A: "A", NS: "NS", CNAME: "CNAME", AAAA: "AAAA"}


class Record(NamedTuple):
    """A resource record of an answer, of one of the types of TYPE_NAMES."""

    owner: str
    rtype: int
    rdata: str


class Observation(NamedTuple):
    r"""One answer of a resolver; names are lower case, without the last dot, other octets as \DDD."""

    name: str
    qtype: int
    rcode: int
    time_s: int
    """seconds since 1970"""
    records: tuple[Record, ...]


def answers_text(records: tuple[Record, ...]) -> str:
    """Records in the transformer's notation of `answers`.

    >>> answers_text((Record("a.example", CNAME, "b.example"), Record("b.example", A, "192.0.2.1")))
    'CNAME b.example, A 192.0.2.1'
    """
    entries = []
    room = _MAX_BYTES
    for record in records[:_MAX_RECORDS]:
        entry = f"{TYPE_NAMES[record.rtype]} {record.rdata}"
        room -= len(entry) + 2
        # In the notation a comma ends a record.
        if room < 0 or "," in record.rdata:
            break
        entries.append(entry)
    return ", ".join(entries)
