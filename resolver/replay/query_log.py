"""Query logs and captures of any format that is read: the responses in them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from resolver.replay import csv_log, dnstap_file, json_lines, pcap, pcapng, zeek
from resolver.replay.foreign import OTHER_CAPTURE, Foreign
from resolver.replay.packets import OTHER_LINK, Packet, responses_in
from resolver.replay.report import DAMAGED, NO_RESPONSE, LeftOut, Report, UnusableLog, quoted, shown
from resolver.replay.sniffing import Format, format_of
from resolver.replay.source import STDIN, Source, opened

_RESPONSE: Final = 0x80
_READ: Final = "a capture (pcap, pcapng), dnstap, Zeek's dns.log, DNS-collector's JSON, or CSV with a header"

Reader = Callable[[Source, Report], Iterator[tuple[bytes, int]]]


def all_responses(paths: Iterable[Path], report: Report) -> Iterator[tuple[bytes, int]]:
    """The responses of several files; those of which nothing can be used are told to the report."""
    for path in paths:
        try:
            yield from responses(path, report)
        except UnusableLog as refusal:
            report.refused.append(str(refusal))


def responses(path: Path, report: Report) -> Iterator[tuple[bytes, int]]:
    """Each response on the wire, and its second since 1970 (0 where it is not said).

    What cannot be used is left out, and counted by the report.

    Raises:
        UnusableLog: a file of another kind, or one of which nothing can be used, once it is read.
    """
    with opened(path) as source:
        kind = _known(path, source)
        before, used = report.left_out.copy(), report.used
        reader, unit = _READERS[kind]
        report.begin(path, unit)
        try:
            for wire, second in reader(source, report):
                if len(wire) > 2 and not wire[2] & _RESPONSE:
                    report.leave_out(NO_RESPONSE)
                else:
                    report.use()
                    yield wire, second
        except UnusableLog as refusal:
            raise UnusableLog(f"{shown(path)}: {refusal}{_told(refusal.command, path)}") from None
        if source.damaged:
            report.leave_out(DAMAGED, source.damaged)
        if report.used == used:
            why = report.why(before) or "nothing is in it"
            command = OTHER_CAPTURE if (report.left_out - before)[OTHER_LINK] else ""
            raise UnusableLog(
                f"{shown(path)}: a {kind} of which nothing can be used: {why}{_told(command, path)}"
            )


def _known(path: Path, source: Source) -> Format:
    """What a file is.

    Raises:
        UnusableLog: nothing that is read.
    """
    found = format_of(source.head)
    if isinstance(found, Format):
        return found
    if isinstance(found, Foreign):
        raise UnusableLog(
            f"{shown(path)}: {found.what}, which is not read as it is{_told(found.command, path)}"
        )
    if source.damaged:
        raise UnusableLog(f"{shown(path)}: cannot be read: {source.damaged}")
    if not source.head.strip():
        raise UnusableLog(f"{shown(path)}: empty")
    raise UnusableLog(f"{shown(path)}: {_unknown(source.head)}; expected {_READ}")


def _told(command: str, path: Path) -> str:
    """A command as the end of a message, with the file's name where a shell takes that as it is."""
    name = shown(path)
    plain = path != STDIN and shlex.quote(name) == name
    return f"; convert it: {command.replace('FILE', name) if plain else command}" if command else ""


def _unknown(head: bytes) -> str:
    line = next((line for line in head.split(b"\n") if line.strip()), b"").decode("utf-8", "replace")
    if not line.isprintable():
        return f"no format that is known: it begins with {head[:8].hex(' ')}"
    if line.startswith("{"):
        return f"JSON of a kind that is not known: {quoted(line)}"
    return f"no column {', '.join(sorted(csv_log.COLUMNS))}: the first line is {quoted(line.strip())}"


def _captured(packets: Callable[[Source, Report], Iterator[Packet]]) -> Reader:
    def read(source: Source, report: Report) -> Iterator[tuple[bytes, int]]:
        for packet in packets(source, report):
            try:
                messages = responses_in(packet)
            except LeftOut as why:
                report.leave_out(why.reason, why.detail)
            else:
                for wire in messages:
                    yield wire, packet.second

    return read


# With what stands between the file and the number of a line, packet or frame.
_READERS: Final[dict[Format, tuple[Reader, str]]] = {
    Format.PCAP: (_captured(pcap.packets), ": packet "),
    Format.PCAPNG: (_captured(pcapng.packets), ": packet "),
    Format.DNSTAP: (dnstap_file.responses, ": frame "),
    Format.ZEEK: (zeek.responses, ":"),
    Format.ZEEK_JSON: (json_lines.zeek_responses, ":"),
    Format.DNS_COLLECTOR: (json_lines.dns_collector_responses, ":"),
    Format.CSV: (csv_log.responses, ":"),
}
