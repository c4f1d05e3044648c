"""Records of the Passive DNS Common Output Format (draft-dulaunoy-dnsop-passive-dns-cof).

Read as exporters write them: numbers also as text or floats, times also in ISO 8601, types also by number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson

# Types whose rdata is a name or address that other names may share.
USED_TYPES: Final = ("A", "AAAA", "NS", "CNAME")
_TYPE_OF_NUMBER: Final = {1: "A", 2: "NS", 5: "CNAME", 28: "AAAA"}
_ADDRESS_TYPES: Final = ("A", "AAAA")
# Beyond this a "count" is no observation, and sums could leave 64 bits.
LARGEST_NUMBER: Final = 1 << 40
# Beyond this it is no time in seconds: snapshots keep 32 bits, until 2106.
LATEST_TIME: Final = (1 << 32) - 1
_NUMBER: Final = re.compile(r"[0-9]{1,20}(?:\.[0-9]{0,20})?(?:[eE]\+?[0-9]{1,2})?")
_TYPE_NUMBER: Final = re.compile(r"(?:TYPE)?([0-9]{1,5})")
_TYPE: Final = re.compile(r"[A-Z][A-Z0-9-]{0,15}")


class UnusableLine(ValueError):
    """A line that holds no usable observation; `reason` is for counting, ``str(error)`` for reading."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class NoEvidence(UnusableLine):
    """A well-formed address that tells nothing of who shares it, such as one of documentation."""


class UnusedType(UnusableLine):
    """A well-formed line of a record type that the graph does not use."""


@dataclass(frozen=True, slots=True)
class Observation:
    """That a name was seen to have records of one type. Times in seconds since 1970.

    left_out: why items of the rdata cannot be used; the others are in `rdata`.
    """

    rrname: str
    rrtype: str
    rdata: tuple[str, ...]
    first_seen: int
    last_seen: int
    count: int
    left_out: tuple[UnusableLine, ...] = ()


def parse_line(line: bytes) -> Observation:
    """Read one JSON line.

    >>> parse_line(b'{"rrname":"a.com","rrtype":"A","rdata":"192.0.2.1","time_first":5,"time_last":9}').count
    1

    Raises:
        UnusedType: another record type than USED_TYPES.
        UnusableLine: not JSON, or a field is missing or of the wrong kind.
    """
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as problem:
        raise UnusableLine("not JSON", str(problem)) from None
    if not isinstance(record, dict):
        raise UnusableLine("not a JSON object")
    return parse_record(record)


def parse_record(record: Mapping[str, object]) -> Observation:
    """Read one record.

    Raises:
        UnusedType: another record type than USED_TYPES.
        UnusableLine: a field is missing or of the wrong kind; for rdata: every item is.
    """
    rrtype = _rrtype(record.get("rrtype"))
    first_seen, last_seen = _times(record)
    count = _count(record.get("count"))
    rrname, (rdata, left_out) = _rrname(record.get("rrname")), _rdata(record.get("rdata"), rrtype)
    return Observation(rrname, rrtype, rdata, first_seen, last_seen, count, left_out)


def _rrtype(value: object) -> str:
    if value in USED_TYPES:
        return str(value)
    text = str(value).strip().upper() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    number = _TYPE_NUMBER.fullmatch(text)
    name = _TYPE_OF_NUMBER.get(int(number[1]), f"TYPE{int(number[1])}") if number else text
    if name in USED_TYPES:
        return name
    if not _TYPE.fullmatch(name):
        raise UnusableLine("no rrtype", f"expected a type's name or number, got {value!r:.40}")
    raise UnusedType(f"type {name}")


def _rrname(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise UnusableLine("no rrname")
    return value


def _rdata(value: object, rrtype: str) -> tuple[tuple[str, ...], tuple[UnusableLine, ...]]:
    texts: list[str] = []
    left_out: list[UnusableLine] = []
    for item in value if isinstance(value, list) else [value]:
        text = item.strip() if isinstance(item, str) else ""
        if not text:
            left_out.append(UnusableLine("no rdata", f"expected text, got {item!r:.40}"))
        elif rrtype in _ADDRESS_TYPES and "%" in text:
            # With a scope it is an address of one machine's network card, not of the net.
            left_out.append(UnusableLine("rdata is not an address of its type", repr(text[:80])))
        else:
            # Some exporters write addresses as they write names, with a dot at the end.
            texts.append(text.removesuffix(".") if rrtype in _ADDRESS_TYPES else text)
    if not texts:
        raise left_out[0] if left_out else UnusableLine("no rdata", "an empty list")
    return tuple(texts), tuple(left_out)


def _times(record: Mapping[str, object]) -> tuple[int, int]:
    # Zone files are another source of sightings, with fields of their own.
    zone = "zone_" if record.get("time_first") is None else ""
    first, last = _time(record, "time_first", zone), _time(record, "time_last", zone)
    if first > last:
        raise UnusableLine("time_first after time_last", f"{first} > {last}")
    return first, last


def _time(record: Mapping[str, object], field: str, zone: str) -> int:
    value = record.get(zone + field)
    seconds = _number(value)
    if seconds is None and isinstance(value, str):
        seconds = _seconds_of_date(value)
    if seconds is None or not 0 <= seconds <= LATEST_TIME:
        raise UnusableLine(
            f"no {field}", f"expected seconds since 1970 or an ISO 8601 time, got {value!r:.40}"
        )
    return int(seconds)


def _seconds_of_date(text: str) -> float | None:
    try:
        date = datetime.fromisoformat(text.strip())
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _count(value: object) -> int:
    number = 1 if value is None else _number(value)
    if number is None or not 0 <= number <= LARGEST_NUMBER or number != int(number):
        raise UnusableLine("no count", f"expected a whole number, got {value!r:.40}")
    return int(number)


def _number(value: object) -> int | float | None:
    # Some exporters write numbers as text.
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value) if value.isdigit() else float(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
