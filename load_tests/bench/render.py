"""Tables as text, for a terminal or for Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MISSING = "-"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its title; the first column says what, the others hold figures."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def number(value: float | None) -> str:
    """A figure in three or so digits.

    >>> number(12345.6), number(98.76), number(1.234), number(None)
    ('12,346', '98.8', '1.23', '-')
    """
    # NaN is what a percentile of no answers is.
    if value is None or value != value:  # noqa: PLR0124
        return MISSING
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def markdown(tables: Sequence[Table]) -> str:
    """Tables under headings of the third level."""
    return "\n".join(_markdown(table) for table in tables)


def _markdown(table: Table) -> str:
    rule = ("---", *("---:" for _ in table.header[1:]))
    lines = ["| " + " | ".join(row) + " |" for row in (table.header, rule, *table.rows)]
    note = [table.note, ""] if table.note else []
    return "\n".join([f"### {table.title}", "", *note, *lines, ""])


def plain(tables: Sequence[Table]) -> str:
    """Tables in columns."""
    return "\n".join(_plain(table) for table in tables)


def _plain(table: Table) -> str:
    rows = [table.header, *table.rows]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in rows
    ]
    return "\n".join([table.title, *lines, *([table.note] if table.note else []), ""])
