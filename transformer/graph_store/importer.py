"""Take files of observations into a builder, counting what could not be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from transformer.graph_store.builder import SnapshotBuilder
from transformer.graph_store.common_output_format import UnusableLine, UnusedType, parse_line
from transformer.graph_store.snapshot_files import SourceFile
from transformer.graph_store.source_files import lines_of, open_source

# Unusable lines that are shown with their place; the rest is only counted.
SHOWN_LINES: Final = 5
# Lines between two reports of progress.
REPORT_EVERY: Final = 4096


@dataclass(slots=True)
class ImportReport:
    """What became of the lines. shown: the first unusable ones, as "FILE:LINE: why"."""

    lines: int = 0
    used: int = 0
    unused_types: Counter[str] = field(default_factory=Counter)
    unusable: Counter[str] = field(default_factory=Counter)
    shown: list[str] = field(default_factory=list)
    sources: list[SourceFile] = field(default_factory=list)

    def summary(self) -> list[str]:
        """The report as lines of text."""
        text = [f"{self.lines:,} lines: {self.used:,} used"]
        text += [f"{count:,} skipped: {reason}" for reason, count in self.unused_types.most_common()]
        text += [f"{count:,} unusable: {reason}" for reason, count in self.unusable.most_common()]
        return text + [f"  {place}" for place in self.shown]


def import_files(
    names: Sequence[str], builder: SnapshotBuilder, on_bytes: Callable[[int], None] = lambda _count: None
) -> ImportReport:
    """Add every usable line of the files to the builder; a bad line stops nothing.

    Args:
        names: files, plain or gzip; "-" is standard input.
        builder: gets the observations.
        on_bytes: called with the number of bytes read since the last call.

    Raises:
        UnreadableFile: a file cannot be opened or is damaged.
    """
    report = ImportReport()
    for name in names:
        _import_file(name, builder, report, on_bytes)
    return report


def _import_file(
    name: str, builder: SnapshotBuilder, report: ImportReport, on_bytes: Callable[[int], None]
) -> None:
    reported = 0
    with open_source(name) as source:
        for number, line in enumerate(lines_of(name, source), 1):
            # Blank lines are no lines: files end with them.
            if line != b"":
                _import_line(f"{name}:{number}", line, builder, report)
            if number % REPORT_EVERY == 0:
                on_bytes(source.bytes_read - reported)
                reported = source.bytes_read
        on_bytes(source.bytes_read - reported)
        report.sources.append(SourceFile(name, source.sha256()))


def _import_line(place: str, line: bytes, builder: SnapshotBuilder, report: ImportReport) -> None:
    report.lines += 1
    try:
        builder.add(parse_line(line))
    except UnusedType as unused:
        report.unused_types[unused.reason] += 1
    except UnusableLine as problem:
        report.unusable[problem.reason] += 1
        if len(report.shown) < SHOWN_LINES:
            report.shown.append(f"{place}: {problem}")
    else:
        report.used += 1
