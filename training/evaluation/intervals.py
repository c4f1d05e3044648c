"""Intervals by bootstrap over registered domains: names of one registration stand or fall together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Integer

from training.evaluation.ranking import ranking, weighted_figures
from training.evaluation.report import Estimate, Figures

RESAMPLES: Final = 200
# Of either class; an interval over fewer would look narrower than it is.
FEWEST_ROWS: Final = 10
_PERCENTILES: Final = (2.5, 97.5)

# Figures by name: first of all rows, then of every resample.
Measured = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Resamples:
    """How often each registered domain was drawn, with replacement, as many times as there are domains.

    Shapes (R rows, D registered domains, B resamples):
        group   int    (R,)    index of each row's registered domain
        counts  uint16 (B, D)  rows sum to D: multinomial counts of even chances
    """

    group: Integer[np.ndarray, " rows"]
    counts: Integer[np.ndarray, "resamples domains"]

    def weights(self, rows: Integer[np.ndarray, " chosen"]) -> Iterator[Float[np.ndarray, " chosen"]]:
        """Weights of the chosen rows: first all alike, then by each resample."""
        yield np.ones(len(rows))
        groups = self.group[rows]
        for counts in self.counts:
            yield counts[groups].astype(np.float64)


def resampled(groups: Sequence[str], count: int = RESAMPLES, seed: int = 0) -> Resamples:
    """Draw the resamples of rows whose registered domains are given."""
    domains, group = np.unique(np.array(groups), return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(domains), (count, len(domains)))
    counts = np.stack([np.bincount(row, minlength=len(domains)) for row in drawn]).astype(np.uint16)
    return Resamples(group, counts)


@dataclass(frozen=True, slots=True)
class Share:
    """A share to report: of the rows in `among`, those that are also in `marked`."""

    marked: Bool[np.ndarray, " rows"]
    among: Bool[np.ndarray, " rows"]


def enough(malicious: Bool[np.ndarray, " rows"]) -> bool:
    """Whether both classes have rows enough to speak of."""
    return min(int(malicious.sum()), int((~malicious).sum())) >= FEWEST_ROWS


def measured(
    malicious: Bool[np.ndarray, " rows"],
    scores: Float[np.ndarray, " rows"],
    resamples: Resamples,
    chosen: Bool[np.ndarray, " rows"],
    shares: Mapping[str, Share] | None = None,
) -> Measured:
    """All figures of the chosen rows, and further shares of them, for all rows and for each resample."""
    rows = np.flatnonzero(chosen)
    ranked = ranking(malicious[rows], scores[rows])
    found: dict[str, list[float]] = {}
    for weights in resamples.weights(rows):
        for name, value in weighted_figures(ranked, weights).items():
            found.setdefault(name, []).append(value)
        for name, share in (shares or {}).items():
            found.setdefault(name, []).append(_weighted_share(share, rows, weights))
    return {name: np.array(values) for name, values in found.items()}


def _weighted_share(
    share: Share, rows: Integer[np.ndarray, " chosen"], weights: Float[np.ndarray, " chosen"]
) -> float:
    among = weights * share.among[rows]
    total = float(among.sum())
    return float((among * share.marked[rows]).sum()) / total if total else float("nan")


def mean_of(parts: Sequence[Measured]) -> Measured:
    """The mean over groups, within each resample."""
    return {name: np.mean([part[name] for part in parts], axis=0) for name in parts[0]}


def figures_of(found: Measured, malicious: Bool[np.ndarray, " chosen"]) -> Figures:
    """Figures of rows with these labels, each with its interval."""
    return Figures(
        rows=len(malicious),
        malicious=int(malicious.sum()),
        **{name: _estimate(values) for name, values in found.items()},
    )


def _estimate(values: Float[np.ndarray, " resamples_and_one"]) -> Estimate:
    low, high = np.nanpercentile(values[1:], _PERCENTILES)
    value, low, high = (round(float(number), 5) for number in (values[0], low, high))
    return Estimate(value=value, low=low, high=high)
