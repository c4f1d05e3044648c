"""The figures of a report in README, between two marks that a reader does not see."""

from __future__ import annotations

from typing import Final

from training.evaluation.headline import table
from training.evaluation.report import Report

BEGIN: Final = "<!-- evaluation -->"
END: Final = "<!-- /evaluation -->"


class NoPlace(Exception):
    """A page does not hold the two marks, once each and in order."""


def section(report: Report) -> str:
    """What stands between the marks."""
    part = " From a sample of the rows only." if report.sampled else ""
    return (
        f"Measured on {report.created[:10]}, model version {report.model_version}, through the services; "
        f"95 % intervals by bootstrap over registered domains.{part}\n\n{table(report)}\n\n"
        f"{report.cost.names_per_second:,.0f} names/s through transformer and predictor, "
        f"{report.cost.microseconds_per_graph:.1f} µs of one core for a graph with evidence "
        f"({report.cost.machine})."
    )


def renewed(page: str, report: Report) -> str:
    """The page with the report's figures between the marks.

    Raises:
        NoPlace: a mark is missing, stands twice, or the last comes first.
    """
    for mark in (BEGIN, END):
        if page.count(mark) != 1:
            raise NoPlace(f"expected {mark} once, found it {page.count(mark)} times")
    before, _, rest = page.partition(BEGIN)
    _, found, behind = rest.partition(END)
    if not found:
        raise NoPlace(f"expected {BEGIN} before {END}")
    return f"{before}{BEGIN}\n{section(report)}\n{END}{behind}"
