"""Take files of observations into a builder, counting what could not be used."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from transformer.graph_store.builder import SnapshotBuilder
from transformer.graph_store.common_output_format import UnusableLine, UnusedType, parse_record
from transformer.graph_store.json_objects import Found, objects_of
from transformer.graph_store.snapshot_meta import SourceFile
from transformer.graph_store.source_files import distinct, open_source, pieces_of
from transformer.graph_store.streaming_api_framing import Frames, is_frame, record_of

# Unusable lines that are shown with their place; the rest is only counted.
SHOWN_LINES: Final = 5
# Objects between two reports of progress.
REPORT_EVERY: Final = 4096
# Types that are told apart; what else a file has is counted as one.
TOLD_TYPES: Final = 64


@dataclass(slots=True)
class ImportReport:
    """What became of the lines; an object over several lines, or in an array, counts as one line.

    unusable        lines left out, by reason
    unusable_rdata  items of rdata left out of lines that were used, by reason
    bad_ends        answers of a streaming API that may lack records, by how they ended
    shown           the first that are unusable, and the first bad ends, as "FILE:LINE: why"
    """

    lines: int = 0
    used: int = 0
    unused_types: Counter[str] = field(default_factory=Counter)
    unusable: Counter[str] = field(default_factory=Counter)
    unusable_rdata: Counter[str] = field(default_factory=Counter)
    bad_ends: Counter[str] = field(default_factory=Counter)
    repeated: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    shown_ends: list[str] = field(default_factory=list)
    sources: list[SourceFile] = field(default_factory=list)

    def summary(self) -> list[str]:
        """The report as lines of text."""
        text = [f"{self.lines:,} lines: {self.used:,} used"]
        text += [f"{count:,} skipped: {reason}" for reason, count in self.unused_types.most_common()]
        text += [f"{count:,} unusable: {reason}" for reason, count in self.unusable.most_common()]
        text += [f"{count:,} left out of rdata: {why}" for why, count in self.unusable_rdata.most_common()]
        text += [f"  {place}" for place in self.shown]
        text += [f"{count:,} answers ended {how}" for how, count in self.bad_ends.most_common()]
        text += [f"  {place}" for place in self.shown_ends]
        return text + [f"given twice, read once: {name}" for name in self.repeated]

    def leave_out(self, reasons: Counter[str], place: str, problem: UnusableLine) -> None:
        """Count what cannot be used, and show it if it is one of the first."""
        reasons[problem.reason] += 1
        if len(self.shown) < SHOWN_LINES:
            self.shown.append(f"{place}: {problem}")

    def skip(self, unused: UnusedType) -> None:
        """Count a record of a type that the graph does not use."""
        known = unused.reason in self.unused_types or len(self.unused_types) < TOLD_TYPES
        self.unused_types[unused.reason if known else "other types"] += 1

    def end_badly(self, place: str, how: str, said: str) -> None:
        """Count an answer that may lack records."""
        self.bad_ends[how] += 1
        if len(self.shown_ends) < SHOWN_LINES:
            self.shown_ends.append(f"{place}: {how}" + (f" ({said})" if said else ""))


def import_files(
    names: Sequence[str], builder: SnapshotBuilder, on_bytes: Callable[[int], None] = lambda _count: None
) -> ImportReport:
    """Add every usable line of the files to the builder; a bad line stops nothing.

    Args:
        names: files, plain or gzip; "-" is standard input; a file that is given twice is read once.
        builder: gets the observations.
        on_bytes: called with the number of bytes read since the last call.

    Raises:
        UnreadableFile: a file cannot be opened, is damaged, or is something else than text or gzip.
    """
    report = ImportReport()
    once, report.repeated = distinct(names)
    for name in once:
        _File(name, builder, report).take(on_bytes)
    return report


class _File:
    """One file on its way into the builder."""

    def __init__(self, name: str, builder: SnapshotBuilder, report: ImportReport) -> None:
        self._name = name
        self._builder = builder
        self._report = report
        self._frames = Frames()

    def take(self, on_bytes: Callable[[int], None]) -> None:
        reported = 0
        with open_source(self._name) as source:
            for number, found in enumerate(objects_of(pieces_of(self._name, source)), 1):
                self._take(found)
                if number % REPORT_EVERY == 0:
                    on_bytes(source.bytes_read - reported)
                    reported = source.bytes_read
            on_bytes(source.bytes_read - reported)
            # Names that are not UTF-8 are legal in file systems, and not in JSON.
            printable = os.fsencode(self._name).decode(errors="backslashreplace")
            self._report.sources.append(SourceFile(printable, source.sha256()))
        for end in self._frames.finish():
            self._report.end_badly(self._name, *end)

    def _take(self, found: Found) -> None:
        place = f"{self._name}:{found.line}"
        try:
            record = self._record(place, found.content)
            if record is not None:
                self._add(place, record)
        except UnusedType as unused:
            self._report.lines += 1
            self._report.skip(unused)
        except UnusableLine as problem:
            self._report.lines += 1
            self._report.leave_out(self._report.unusable, place, problem)

    def _record(self, place: str, content: dict[str, Any] | UnusableLine) -> Mapping[str, Any] | None:
        if isinstance(content, UnusableLine):
            raise content
        if not is_frame(content):
            return content
        for end in self._frames.follow(content):
            self._report.end_badly(place, *end)
        return record_of(content)

    def _add(self, place: str, record: Mapping[str, Any]) -> None:
        observation = parse_record(record)
        unusable = [*observation.left_out, *self._builder.add(observation)]
        self._report.lines += 1
        self._report.used += 1
        for problem in unusable:
            self._report.leave_out(self._report.unusable_rdata, place, problem)
