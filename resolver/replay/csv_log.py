"""Query logs as CSV with a header: the columns ts, query, qtype, rcode and answers, among others."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from resolver.replay.report import BAD_ROW, LeftOut, Report, UnusableLog, quoted
from resolver.replay.row_messages import chained, message, rcode_of, second_of, type_of
from resolver.replay.source import MAX_LINE, Source

COLUMNS: Final = ("ts", "query", "qtype", "rcode", "answers")
_DELIMITERS: Final = ",;\t|"
# A quote that is never closed must not take the rest of the file with it.
_MAX_LINES_OF_ROW: Final = 16
_MAX_LINES_BEFORE_HEADER: Final = 50


def responses(source: Source, report: Report) -> Iterator[tuple[bytes, int]]:
    """Each row as a response on the wire, and its second.

    Raises:
        UnusableLog: a column is missing.
    """
    csv.field_size_limit((MAX_LINE + 1) * _MAX_LINES_OF_ROW)
    lines = source.lines(report)
    header = _header(lines, report)
    delimiter = delimiter_of(header)
    names = names_in(header, delimiter)
    missing = set(COLUMNS) - set(names)
    if missing:
        raise UnusableLog(f"no column {', '.join(sorted(missing))}; the first line is {quoted(header)}")
    places = [names.index(column) for column in COLUMNS]
    for row in _Rows(lines, delimiter, len(names), report):
        # Files that were put one behind another have their headers in between.
        if [name.strip().lower() for name in row] == names:
            continue
        try:
            yield _response([row[place].strip() for place in places], report)
        except LeftOut as why:
            report.leave_out(why.reason, why.detail)


def _header(lines: Iterator[tuple[int, str]], report: Report) -> str:
    """The first line that is a header; the first of all where there is none."""
    passed: list[tuple[int, str]] = []
    for number, line in islice(lines, _MAX_LINES_BEFORE_HEADER):
        if is_header(line):
            for place, text in passed:
                report.at(place)
                report.leave_out(BAD_ROW, f"before the header: {quoted(text)}")
            return line
        # What spreadsheets put before it to say what stands between columns.
        passed += [] if line.lower().startswith("sep=") else [(number, line)]
    return passed[0][1] if passed else ""


def is_header(line: str) -> bool:
    """Whether a line names at least two of the columns.

    >>> is_header("TS;Query;Client")
    True
    """
    return len(set(COLUMNS) & set(names_in(line, delimiter_of(line)))) > 1


def delimiter_of(header: str) -> str:
    """What stands between columns: spreadsheets of half the world write semicolons."""
    return max(_DELIMITERS, key=lambda mark: len(set(COLUMNS) & set(names_in(header, mark))))


def names_in(header: str, delimiter: str) -> list[str]:
    """The columns of a header."""
    return [name.strip().lower() for name in fields_in(header, delimiter)]


def fields_in(line: str, delimiter: str) -> list[str]:
    """The fields of one line, whatever quotes stand where."""
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return []


def _response(fields: Sequence[str], report: Report) -> tuple[bytes, int]:
    ts, query, qtype, rcode, answers = fields
    second, rtype = second_of(ts), type_of(qtype)
    data = chained(query, rtype, answers.split(","))
    return message(query, rtype, rcode_of(rcode), data, report), second


class _Rows:
    """Rows as wide as the header; one may go over several lines where its quotes say so."""

    def __init__(self, lines: Iterator[tuple[int, str]], delimiter: str, width: int, report: Report) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._width = width
        self._report = report
        self._ahead: deque[tuple[int, str]] = deque()

    def __iter__(self) -> Iterator[list[str]]:
        while self._look(0):
            number, text = self._ahead[0]
            self._report.at(number)
            try:
                row = self._row(text)
            except LeftOut as why:
                self._report.leave_out(why.reason, why.detail)
            else:
                yield row

    def _row(self, text: str) -> list[str]:
        used = 1
        try:
            fields, used = self._quoted()
        except csv.Error:
            if text.count('"') % 2:
                raise LeftOut(BAD_ROW, f"a quote that is not closed: {quoted(text)}") from None
            fields = fields_in(text, self._delimiter)
        finally:
            for _ in range(used):
                self._ahead.popleft()
        if len(fields) < self._width or any(fields[self._width :]):
            raise LeftOut(BAD_ROW, f"{len(fields)} columns, expected {self._width}")
        return fields

    def _quoted(self) -> tuple[list[str], int]:
        """The next row by the strict rules of RFC 4180, and how many lines it has."""
        used = 0

        def pulled() -> Iterator[str]:
            nonlocal used
            while used < _MAX_LINES_OF_ROW and self._look(used):
                used += 1
                yield f"{self._ahead[used - 1][1]}\n"

        fields = next(csv.reader(pulled(), delimiter=self._delimiter, skipinitialspace=True, strict=True))
        if used > 1 and len(fields) != self._width:
            raise csv.Error
        return fields, used

    def _look(self, ahead: int) -> bool:
        """Whether there is a line so many lines ahead."""
        if ahead < len(self._ahead):
            return True
        line = next(self._lines, None)
        if line is not None:
            self._ahead.append(line)
        return line is not None
