"""Zeek's dns.log as it is written by itself: tab-separated values under lines that say how to read them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from resolver.replay.report import BAD_ROW, OTHER_CLASS, OTHER_SERVICE, LeftOut, Report, UnusableLog, quoted
from resolver.replay.row_messages import UNSET, chained, message, rcode_of, second_of, type_of
from resolver.replay.source import Source

_IN: Final = ("1", "C_INTERNET")
# What Zeek's analyser of DNS also looks at: NetBIOS, mDNS, LLMNR.
_OTHER_PORTS: Final = frozenset({"137", "5353", "5355"})
USED_FIELDS: Final[tuple[str, ...]] = (
    "ts", "id.resp_p", "query", "qclass", "qclass_name", "qtype", "qtype_name", "rcode", "rcode_name",
)  # fmt: skip
_HEX: Final = re.compile(r"\\x([0-9a-fA-F]{2})")


@dataclass(slots=True)
class Header:
    """What the lines that begin with # have said so far."""

    separator: str = "\t"
    set_separator: str = ","
    empty: str = "(empty)"
    unset: str = "-"
    fields: list[str] = field(default_factory=list)

    def follow(self, line: str) -> None:
        """Take over what a line says.

        Raises:
            UnusableLog: the log is another of Zeek's.
        """
        if line.startswith("#separator "):
            self.separator = unescaped(line[11:].strip()) or "\t"
            return
        name, *values = line.split(self.separator)
        if name == "#fields":
            self.fields = values
            missing = {"ts", "query"} - set(values)
            if missing:
                raise UnusableLog(f"a Zeek log without {', '.join(sorted(missing))}, expected its dns.log")
        elif values and name in _HEADERS:
            setattr(self, _HEADERS[name], unescaped(values[0]))


_HEADERS: Final = {"#set_separator": "set_separator", "#empty_field": "empty", "#unset_field": "unset"}


def responses(source: Source, report: Report) -> Iterator[tuple[bytes, int]]:
    """Each row as a response on the wire, and its second; several logs may stand one behind another.

    Raises:
        UnusableLog: another log of Zeek's.
    """
    header = Header()
    for number, line in source.lines(report):
        report.at(number)
        if line.startswith("#"):
            header.follow(line)
            continue
        try:
            yield _response(line, header, report)
        except LeftOut as why:
            report.leave_out(why.reason, why.detail)


def _response(line: str, header: Header, report: Report) -> tuple[bytes, int]:
    values = line.split(header.separator)
    if len(values) != len(header.fields):
        raise LeftOut(BAD_ROW, f"{len(values)} columns, expected {len(header.fields)}")
    row = {
        name: "" if value == header.unset else value
        for name, value in zip(header.fields, values, strict=True)
    }
    answers = row.get("answers", "")
    data = [] if answers in ("", header.empty) else answers.split(header.set_separator or ",")
    return zeek_response(row, data, report)


def zeek_response(row: Mapping[str, str], answers: Sequence[str], report: Report) -> tuple[bytes, int]:
    """A row by the names of Zeek's fields, as a response on the wire, and its second.

    A question that nobody answered has no code; it was asked, so it counts.

    Raises:
        LeftOut: something in it cannot be used, or it is no question to a resolver.
    """
    if row.get("id.resp_p") in _OTHER_PORTS:
        raise LeftOut(OTHER_SERVICE)
    qclass = row.get("qclass") or row.get("qclass_name") or ""
    if qclass not in UNSET and qclass not in _IN:
        raise LeftOut(OTHER_CLASS, f"class {quoted(qclass)}")
    query, second = row.get("query", ""), second_of(row.get("ts", ""))
    rtype = type_of(row.get("qtype") or row.get("qtype_name") or "")
    rcode = rcode_of(row.get("rcode") or row.get("rcode_name") or "")
    return message(query, rtype, rcode, chained(query, rtype, answers), report), second


def unescaped(text: str) -> str:
    r"""Text with Zeek's escapes resolved.

    >>> unescaped(r"\x09")
    '\t'
    """
    return _HEX.sub(lambda found: chr(int(found[1], 16)), text)
