"""A figure, and how figures are printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Figure(NamedTuple):
    """One measured thing."""

    part: str
    what: str
    value: float
    unit: str


def table(figures: Sequence[Figure]) -> str:
    """Figures as a Markdown table."""
    rows = [f"| {f.part} | {f.what} | {shown(f.value)} | {f.unit} |" for f in figures]
    return "\n".join(["| part | what | value | unit |", "|---|---|---:|---|", *rows])


def shown(value: float) -> str:
    """Three digits, or whole numbers with commas.

    >>> shown(12345.6), shown(0.98765)
    ('12,346', '0.988')
    """
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
