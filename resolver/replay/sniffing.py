"""What a file is, by its first 64 KiB; nothing is told from its name. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

from resolver.frame_streams import READY, START
from resolver.replay import csv_log, foreign, pcap, pcapng
from resolver.replay.foreign import Foreign
from resolver.replay.json_lines import object_in
from resolver.replay.report import LeftOut

_LINES: Final = 50
_LINE: Final = 4096
_NAME: Final = re.compile(r"(?:[\w*-]{1,63}\.)+[A-Za-z][\w-]{1,62}\.?")
_CONTROL_FRAME: Final = re.compile(rb"\0\0\0\0\0\0[\0-\2].\0\0\0[%c%c]" % (START, READY), re.DOTALL)
# A sheet is a zip archive of these.
_SHEET: Final = re.compile(rb"\[Content_Types\]\.xml|xl/|opendocument\.spreadsheet")
_BINARY: Final = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")


class Format(StrEnum):
    """What is read."""

    PCAP = "packet capture"
    PCAPNG = "pcapng capture"
    DNSTAP = "dnstap file"
    ZEEK = "Zeek log"
    ZEEK_JSON = "Zeek log in JSON"
    DNS_COLLECTOR = "DNS-collector log"
    CSV = "CSV query log"


def format_of(head: bytes) -> Format | Foreign | None:
    """What a file is that begins so; None for what nobody knows.

    >>> format_of(b"ts,query,qtype,rcode,answers")
    <Format.CSV: 'CSV query log'>
    >>> format_of(b"PAR1...").what
    'Parquet'
    """
    if head[:4] in pcap.MAGICS:
        return Format.PCAP
    if head[:4] == pcapng.MAGIC:
        return Format.PCAPNG
    if _CONTROL_FRAME.match(head):
        return Format.DNSTAP
    if found := _foreign_octets(head):
        return found
    text = _of_text(head)
    # A log may have any octet in a row; what only looks like another tool's text may not.
    return None if isinstance(text, Foreign) and _BINARY.search(head[:1024]) else text


def _foreign_octets(head: bytes) -> Foreign | None:
    for magic, found in foreign.MAGICS.items():
        if head.startswith(magic):
            return foreign.SPREADSHEET if magic == b"PK\x03\x04" and _SHEET.search(head) else found
    if head[257:262] == b"ustar":
        return foreign.TAR
    return _wide_text(head)


def _wide_text(head: bytes) -> Foreign | None:
    """Text of two or four octets a character, which half of Windows' tools write."""
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return foreign.UTF32
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return foreign.UTF16
    for order, first in (("LE", 1), ("BE", 0)):
        zeros, letters = head[first:200:2], head[1 - first : 200 : 2]
        if len(zeros) > 3 and not any(zeros) and not _BINARY.search(letters):
            what, command = foreign.UTF16_BARE
            return Foreign(what, command.format(order=order))
    return None


def _of_text(head: bytes) -> Format | Foreign | None:
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    lines = [line[:_LINE] for line in re.split(r"\r?\n", text) if line.strip()][:_LINES]
    if any(line.startswith(("#separator ", "#fields\t")) for line in lines):
        return Format.ZEEK
    if any(csv_log.is_header(line) for line in lines):
        return Format.CSV
    if "\r" in text and "\n" not in text:
        return foreign.OLD_LINES
    return _of_json(text) or _of_lines(lines)


def _of_json(text: str) -> Format | Foreign | None:
    """By the first line that is an object, even if others before it are none."""
    start = text.lstrip()
    if re.match(r"\[\s*[{\[]", start):
        return foreign.TSHARK_ARRAY if '"_source"' in text else foreign.ARRAY
    objects = [line for line in text.split("\n") if line.lstrip().startswith("{")][:_LINES]
    for row in _objects(objects):
        if found := _of_object(row):
            return found
    if start.startswith("{") and re.match(r"\{\s*\n\s*\"", start):
        return foreign.SPREAD_JSON
    # A first line longer than what is seen of it.
    if len(objects) == 1 and re.search(r'"(?:dnstap|resource-records)"', text):
        return Format.DNS_COLLECTOR
    return Format.ZEEK_JSON if len(objects) == 1 and re.search(r'"ts":.*"query":', text) else None


def _objects(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    for line in lines:
        try:
            yield object_in(line)
        except LeftOut:
            continue


def _of_object(row: dict[str, Any]) -> Format | Foreign | None:
    dns = row.get("dns")
    if "dns.qname" in row or (isinstance(dns, dict) and "qname" in dns):
        return Format.DNS_COLLECTOR
    if "ts" in row and not row.keys().isdisjoint({"query", "qtype", "trans_id"}):
        return Format.ZEEK_JSON
    return next((found for keys, found in foreign.OBJECTS if row.keys() >= set(keys)), None)


def _of_lines(lines: list[str]) -> Foreign | None:
    for pattern, found in foreign.LINES:
        if any(pattern.search(line) for line in lines):
            return found
    named = [bool(_NAME.fullmatch(line.strip())) for line in lines if not line.startswith("#")]
    return foreign.NAMES if named and all(named) else None
