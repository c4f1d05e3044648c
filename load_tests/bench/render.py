"""Tables as text, for a terminal or for Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MISSING = "-"
BEGIN = "<!-- figures -->"
END = "<!-- /figures -->"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its title; the first column says what, the others hold figures."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def number(value: float | None) -> str:
    """A figure in three or so digits.

    >>> number(12345.6), number(98.76), number(1.234), number(0.0123), number(None)
    ('12,346', '98.8', '1.23', '0.012', '-')
    """
    # NaN is what a percentile of no answers is.
    if value is None or value != value:  # noqa: PLR0124
        return MISSING
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def markdown(tables: Sequence[Table]) -> str:
    """Tables under headings of the third level."""
    return "\n".join(_markdown(table) for table in tables)


def _markdown(table: Table) -> str:
    rule = ("---", *("---:" for _ in table.header[1:]))
    lines = ["| " + " | ".join(row) + " |" for row in (table.header, rule, *table.rows)]
    note = [table.note, ""] if table.note else []
    return "\n".join([f"### {table.title}", "", *note, *lines, ""])


def renewed(page: str, figures: str) -> str:
    r"""A page with its part between the marks replaced; a page without marks is replaced whole.

    >>> renewed("a\n<!-- figures -->\nold\n<!-- /figures -->\nb\n", "new")
    'a\n<!-- figures -->\nnew\n<!-- /figures -->\nb\n'
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n{figures}\n{end}{after}" if end else f"{figures}\n"


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
