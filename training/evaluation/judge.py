"""From scores to figures: no services, no files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from contract.tensors import NOT_SCORED
from training.data import LabelledNames
from training.evaluation.intervals import (
    Measured,
    Resamples,
    Share,
    enough,
    figures_of,
    mean_of,
    measured,
    resampled,
)
from training.evaluation.ranking import curves
from training.evaluation.report import Curves, Figures
from training.evaluation.robustness import Changed
from training.evaluation.slices import FAMILIES, bases, slices
from training.figures import best_accuracy_threshold
from training.splits import registered_domain

UNSEEN: Final = "unseen-families"


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows with labels, and the resamples of their registered domains."""

    malicious: Bool[np.ndarray, " rows"]
    resamples: Resamples

    def figures(
        self,
        scores: Float[np.ndarray, " rows"],
        chosen: Bool[np.ndarray, " rows"],
        shares: dict[str, Share] | None = None,
    ) -> Figures:
        """Figures of those chosen rows that were scored."""
        kept = chosen & (scores != NOT_SCORED)
        found = measured(self.malicious, scores, self.resamples, kept, shares)
        return figures_of(found, self.malicious[kept])

    def curves(self, scores: Float[np.ndarray, " rows"], chosen: Bool[np.ndarray, " rows"]) -> Curves:
        """Points to draw of the same."""
        kept = chosen & (scores != NOT_SCORED)
        return curves(self.malicious[kept], scores[kept])


def judged_of(domains: Sequence[str], malicious: Bool[np.ndarray, " rows"], resamples: int) -> Judged:
    """Rows of these names, resampled by their registered domains."""
    return Judged(malicious, resampled([registered_domain(name) for name in domains], resamples))


@dataclass(frozen=True, slots=True)
class JudgedNames:
    """Labelled names, which generator families no training row is of, and how they are resampled."""

    names: LabelledNames
    unseen: frozenset[str]
    judged: Judged

    def by_part(self, scores: Float[np.ndarray, " rows"]) -> dict[str, Figures]:
        """Figures of strong and of all rows, of every part of both, and of unseen families in the mean."""
        found = self.headlines(scores)
        for base, rows in bases(self.names).items():
            for part, chosen in slices(self.names, rows).items():
                if enough(self.names.malicious[chosen & (scores != NOT_SCORED)]):
                    found[f"{base}/{part}"] = self.judged.figures(scores, chosen)
        return found

    def headlines(self, scores: Float[np.ndarray, " rows"]) -> dict[str, Figures]:
        """Figures of strong and of all rows, and of unseen families in the mean."""
        found = {}
        for base, rows in bases(self.names).items():
            found[base] = self.judged.figures(scores, rows)
            found |= {f"{base}/{UNSEEN}": mean for mean in self._unseen(scores, rows)}
        return found

    def _unseen(
        self, scores: Float[np.ndarray, " rows"], base: Bool[np.ndarray, " rows"]
    ) -> Iterator[Figures]:
        """At most one: the mean over unseen families that have rows enough."""
        scored = scores != NOT_SCORED
        families = [
            chosen & scored
            for part, chosen in slices(self.names, base).items()
            if part.startswith(f"{FAMILIES}/")
            and part.removeprefix(f"{FAMILIES}/") in self.unseen
            and enough(self.names.malicious[chosen & scored])
        ]
        if families:
            parts = [
                measured(self.names.malicious, scores, self.judged.resamples, chosen) for chosen in families
            ]
            yield figures_of(mean_of(parts), self.names.malicious[np.any(families, axis=0)])


@dataclass(frozen=True, slots=True)
class JudgedGraph:
    """Domains of the labelled graph: those that figures are of, and those that thresholds are chosen by."""

    public: Bool[np.ndarray, " rows"]
    val: Bool[np.ndarray, " rows"]
    judged: Judged

    def measured(self, scores: Float[np.ndarray, " rows"]) -> Measured:
        """Figures of the public rows by one scoring, accuracy at the threshold that is best on `val`."""
        malicious, scored = self.judged.malicious, scores != NOT_SCORED
        val = self.val & scored
        threshold = best_accuracy_threshold(malicious[val], scores[val])
        right = Share((scores >= threshold) == malicious, self.public)
        return measured(malicious, scores, self.judged.resamples, self.rows(scores), {"accuracy": right})

    def rows(self, scores: Float[np.ndarray, " rows"]) -> Bool[np.ndarray, " rows"]:
        """The public rows that were scored."""
        return self.public & (scores != NOT_SCORED)

    def figures(self, runs: Sequence[Float[np.ndarray, " rows"]]) -> Figures:
        """Figures of the public rows, the mean over several scorings of all rows."""
        found = mean_of([self.measured(scores) for scores in runs])
        return figures_of(found, self.judged.malicious[self.rows(runs[0])])

    def gain(self, scores: Float[np.ndarray, " rows"], alone: Float[np.ndarray, " rows"]) -> Figures:
        """By how much one scoring is above another, resample by resample."""
        more, less = self.measured(scores), self.measured(alone)
        found = {name: more[name] - less[name] for name in more}
        return figures_of(found, self.judged.malicious[self.rows(scores)])


def changed_figures(
    names: LabelledNames,
    scores: Float[np.ndarray, " rows"],
    changed: Changed,
    changed_scores: Float[np.ndarray, " changed"],
    thresholds: dict[str, float],
    resamples: int,
) -> Figures:
    """Figures of changed names beside the unchanged strong rows of the other class.

    Args:
        names: the unchanged names.
        scores: of them.
        changed: the changed names.
        changed_scores: of them.
        thresholds: by the name of the share that is flagged from there on.
        resamples: of the bootstrap; a changed name falls into the group of what it was made of.
    """
    others = np.flatnonzero(names.strong & (names.malicious != changed.malicious))
    rows = np.concatenate([changed.rows, others])
    is_changed = np.arange(len(rows)) < len(changed.rows)
    malicious = np.where(is_changed, changed.malicious, not changed.malicious)
    joined = np.concatenate([changed_scores, scores[others]])
    shares = {what: Share(joined >= bound, is_changed) for what, bound in thresholds.items()}
    judged = judged_of([names.domains[row] for row in rows], malicious, resamples)
    return judged.figures(joined, np.ones(len(rows), bool), shares)
