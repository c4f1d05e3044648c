"""Lines of the Passive DNS Common Output Format (draft-dulaunoy-dnsop-passive-dns-cof)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

# Types whose rdata is a name or address that other names may share.
USED_TYPES: Final = ("A", "AAAA", "NS", "CNAME")
# Beyond this a "count" or time is no observation, and sums could leave 64 bits.
LARGEST_NUMBER: Final = 1 << 40


class UnusableLine(ValueError):
    """A line that holds no usable observation; `reason` is for counting, ``str(error)`` for reading."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class UnusedType(UnusableLine):
    """A well-formed line of a record type that the graph does not use."""


@dataclass(frozen=True, slots=True)
class Observation:
    """That a name was seen to have records of one type. Times in seconds since 1970."""

    rrname: str
    rrtype: str
    rdata: tuple[str, ...]
    first_seen: int
    last_seen: int
    count: int


def parse_line(line: bytes) -> Observation:
    """Read one JSON line.

    >>> parse_line(b'{"rrname":"example.com","rrtype":"A","rdata":"192.0.2.1","time_first":5,"time_last":9}')
    Observation(rrname='example.com', rrtype='A', rdata=('192.0.2.1',), first_seen=5, last_seen=9, count=1)

    Raises:
        UnusedType: another record type than USED_TYPES.
        UnusableLine: not JSON, or a field is missing or of the wrong kind.
    """
    record = _record(line)
    rrtype = _text(record, "rrtype").upper()
    if rrtype not in USED_TYPES:
        raise UnusedType(f"type {rrtype[:16]}")
    first_seen, last_seen = _times(record)
    count = _number(record, "count", 1)
    return Observation(_text(record, "rrname"), rrtype, _rdata(record), first_seen, last_seen, count)


def _record(line: bytes) -> Mapping[str, object]:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as problem:
        raise UnusableLine("not JSON", str(problem)) from None
    if not isinstance(record, dict):
        raise UnusableLine("not a JSON object")
    return record


def _text(record: Mapping[str, object], field: str) -> str:
    value = record.get(field)
    if not isinstance(value, str) or not value:
        raise UnusableLine(f"no {field}")
    return value


def _rdata(record: Mapping[str, object]) -> tuple[str, ...]:
    value = record.get("rdata")
    items = value if isinstance(value, list) else [value]
    texts = tuple(item for item in items if isinstance(item, str) and item)
    if not texts or len(texts) < len(items):
        raise UnusableLine("no rdata", "expected a string or a list of strings")
    return texts


def _times(record: Mapping[str, object]) -> tuple[int, int]:
    # Zone files are another source of sightings, with fields of their own.
    zone = "" if "time_first" in record else "zone_"
    first, last = _number(record, f"{zone}time_first"), _number(record, f"{zone}time_last")
    if first > last:
        raise UnusableLine("time_first after time_last", f"{first} > {last}")
    return first, last


def _number(record: Mapping[str, object], field: str, default: int | None = None) -> int:
    value = record.get(field, default)
    # Some exporters write numbers as text.
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 13:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_NUMBER:
        raise UnusableLine(f"no {field.removeprefix('zone_')}", f"expected a whole number, got {value!r:.40}")
    return value
