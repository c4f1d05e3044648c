"""Refuse data that would make figures lie: leakage between training and test, and impossible rows.

Leakage is what lets a model know a test row before it is asked: its registered domain, its generator family,
or a row of the same source from the time after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from contract.tensors import CATEGORIES
from training.data import BENIGN, DGA, LabelledGraph, LabelledNames, UnusableData
from training.splits import registered_domain

QUALITIES: Final = ("strong", "medium", "weak")
# Of a class there must be this share of rows; fewer is a download that broke off or a filter gone wrong.
SMALLEST_CLASS: Final = 0.01
# Sources whose dates say when a name was seen; generators' dates are seeds, those of lists upper bounds.
SEED_DATED: Final = ("baderj-dga",)
SHOWN: Final = 5

_DATE: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason why the data cannot be used, and the rows it is about."""

    what: str
    rows: Sequence[str]

    def __str__(self) -> str:
        shown = ", ".join(self.rows[:SHOWN])
        more = f" and {len(self.rows) - SHOWN:,} more" if len(self.rows) > SHOWN else ""
        return f"{self.what}: {shown}{more}"


def refuse(findings: Iterable[Finding]) -> None:
    """Stop where there is any finding.

    Raises:
        UnusableData: every finding, one a line, with the rows.
    """
    found = [str(finding) for finding in findings]
    if found:
        raise UnusableData("the data was refused:\n  " + "\n  ".join(found))


def check_rows(names: LabelledNames, file: str) -> Iterator[Finding]:
    """Columns whose values cannot be, classes that are missing, names that stand twice."""
    dates = np.array([bool(date) and not _DATE.fullmatch(date) for date in names.first_seen], bool)
    yield from _rows(f"{file}: first_seen is no date (expected YYYY-MM-DD or nothing)", names.domains, dates)
    qualities = ~np.isin(names.quality, QUALITIES)
    yield from _rows(f"{file}: label_quality is none of {QUALITIES}", names.domains, qualities)
    family = (names.category == DGA) & (names.family == "")
    yield from _rows(f"{file}: a generated name without its family", names.domains, family)
    _, first = np.unique(names.domains, return_index=True)
    twice = np.ones(len(names.domains), bool)
    twice[first] = False
    yield from _rows(f"{file}: a name stands twice", names.domains, twice)


def check_classes(names: LabelledNames, file: str, smallest: float = SMALLEST_CLASS) -> Iterator[Finding]:
    """A class that has collapsed: hardly a row of it is left."""
    counts = np.bincount(names.category, minlength=len(CATEGORIES))
    scarce = [f"{kind}: {count:,}" for kind, count in zip(CATEGORIES, counts, strict=True)
              if count < smallest * len(names.domains)]  # fmt: skip
    if scarce:
        yield Finding(f"{file}: expected at least {smallest:.1%} of {len(names.domains):,} rows", scarce)


def check_apart(
    fitted: LabelledNames, judged: LabelledNames, fitted_file: str, judged_file: str, *, dated: bool = True
) -> Iterator[Finding]:
    """What rows to fit and rows to judge by must not share; `dated` where the judged ones are the later."""
    between = f"{judged_file} against {fitted_file}"
    known = {registered_domain(name) for name in fitted.domains}
    shared = np.array([registered_domain(name) in known for name in judged.domains], bool)
    yield from _rows(f"{between}: the registered domain is on both sides", judged.domains, shared)
    families = np.unique(_families(fitted))
    both = np.isin(judged.family, families) & (judged.category == DGA)
    yield from _rows(f"{between}: the generator family is on both sides", judged.domains, both)
    if dated:
        yield from _rows(
            f"{fitted_file}: seen after {judged_file} begins", fitted.domains, _later(fitted, judged)
        )


def _families(names: LabelledNames) -> np.ndarray:
    return names.family[names.category == DGA]


def _later(fitted: LabelledNames, judged: LabelledNames) -> np.ndarray:
    """Malicious rows to fit that were seen when, by their source's rows to judge by, the test had begun."""
    late = np.zeros(len(fitted.domains), bool)
    for source in np.unique(judged.source[judged.malicious]):
        dates = judged.first_seen[judged.malicious & (judged.source == source) & (judged.first_seen != "")]
        if source not in SEED_DATED and len(dates):
            late |= fitted.malicious & (fitted.source == source) & (fitted.first_seen >= min(dates.tolist()))
    return late


def check_graph(
    graph: LabelledGraph, names: LabelledNames, names_file: str, graph_file: str
) -> Iterator[Finding]:
    """Splits of the graph that share a registered domain, rows of the name files in it, one class alone."""
    registered = np.array([registered_domain(name) for name in graph.domains], object)
    judged = graph.split != "train"
    known = set(registered[~judged].tolist())
    both = judged & np.array([name in known for name in registered], bool)
    yield from _rows(
        f"{graph_file}: the registered domain is in train and in another split", graph.domains, both
    )
    listed = {registered_domain(name) for name in names.domains}
    inside = judged & np.array([name in listed for name in registered], bool)
    yield from _rows(
        f"{graph_file} against {names_file}: the registered domain is in both", graph.domains, inside
    )
    labels = set(graph.label[graph.split == "train"].tolist())
    if not {0, 1} <= labels:
        yield Finding(f"{graph_file}: expected benign and malicious rows in train", [f"labels {labels}"])


def _rows(what: str, domains: Sequence[str], bad: np.ndarray) -> Iterator[Finding]:
    if bad.any():
        yield Finding(what, [f"{domains[row]} (row {row + 2})" for row in np.flatnonzero(bad)])


def summary(names: LabelledNames) -> dict[str, dict[str, int]]:
    """Rows by class, source and quality: what a run's record keeps of its data."""
    kinds = np.array(CATEGORIES)[names.category]
    return {
        "class": _counted(kinds),
        "source": _counted(names.source),
        "quality": _counted(
            np.where(names.category == BENIGN, "benign ", "malicious ") + names.quality.astype(object)
        ),
    }


def _counted(values: np.ndarray) -> dict[str, int]:
    found, counts = np.unique(values.astype(str), return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))
