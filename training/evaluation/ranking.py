"""Figures of weighted rows from one sort: a resample changes weights, never the order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int64

from training.evaluation.report import Curves
from training.figures import FPR_BLOCK, FPR_MONITOR

BINS: Final = 15
MOST_POINTS: Final = 200
# A rate is met where rounding alone says otherwise: .07 * 100 is more than 7.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows by falling score.

    Shapes (R rows, S distinct scores):
        order      int64   (R,)  which row stands at each place
        malicious  bool    (R,)  of the row at each place
        scores     float64 (R,)  of the row at each place
        ends       int64   (S,)  last place of each run of equal scores: a threshold never parts them
    """

    order: Int64[np.ndarray, " rows"]
    malicious: Bool[np.ndarray, " rows"]
    scores: Float[np.ndarray, " rows"]
    ends: Int64[np.ndarray, " distinct"]


def ranking(malicious: Bool[np.ndarray, " rows"], scores: Float[np.ndarray, " rows"]) -> Ranking:
    """Sort once for any number of resamples."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order].astype(np.float64)
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    return Ranking(order, malicious[order], ranked, ends)


def weighted_figures(ranked: Ranking, weights: Float[np.ndarray, " rows"]) -> dict[str, float]:
    """The figures of `report.Figures` by name, for rows that count as often as their weight says.

    Without weight on one of the classes no figure exists: all are NaN.

    Args:
        ranked: the rows' order.
        weights: of the rows in their own order, at least 0.
    """
    found, flagged = _cumulated(ranked, weights)
    if not (found[-1] and flagged[-1]):
        return dict.fromkeys(FIGURES, float("nan"))
    # The area by trapezoids: rows of equal score count half, as for Mann and Whitney's U.
    steps = np.diff(flagged, prepend=0.0)
    area = float((steps * (found - np.diff(found, prepend=0.0) / 2)).sum())
    recall = np.diff(found, prepend=0.0) / found[-1]
    precision = found / np.maximum(found + flagged, np.finfo(float).tiny)
    values = (
        area / (found[-1] * flagged[-1]),
        float((recall * precision).sum()),
        _found_at(found, flagged, FPR_MONITOR),
        _found_at(found, flagged, FPR_BLOCK),
        _calibration_error(ranked, weights[ranked.order]),
    )
    return dict(zip(FIGURES, values, strict=True))


FIGURES: Final = (
    "auc",
    "average_precision",
    "tpr_at_fpr_1pct",
    "tpr_at_fpr_01pct",
    "calibration_error",
)


def _cumulated(
    ranked: Ranking, weights: Float[np.ndarray, " rows"]
) -> tuple[Float[np.ndarray, " distinct"], Float[np.ndarray, " distinct"]]:
    """Weight of malicious and of benign rows at or above each distinct score."""
    placed = weights[ranked.order]
    of_malicious = np.where(ranked.malicious, placed, 0.0)
    return of_malicious.cumsum()[ranked.ends], (placed - of_malicious).cumsum()[ranked.ends]


def _found_at(
    found: Float[np.ndarray, " distinct"], flagged: Float[np.ndarray, " distinct"], fpr: float
) -> float:
    allowed = int(np.searchsorted(flagged, fpr * flagged[-1] + _ROUNDING, side="right"))
    return float(found[allowed - 1] / found[-1]) if allowed else 0.0


def _calibration_error(ranked: Ranking, placed: Float[np.ndarray, " rows"]) -> float:
    even = _even(ranked.malicious, placed)
    bins = _bins(ranked.scores)
    gaps = np.bincount(bins, even * (ranked.scores - ranked.malicious), minlength=BINS)
    return float(np.abs(gaps).sum())


def _bins(scores: Float[np.ndarray, " rows"]) -> Int64[np.ndarray, " rows"]:
    return np.minimum((scores * BINS).astype(np.int64), BINS - 1)


def _even(
    malicious: Bool[np.ndarray, " rows"], weights: Float[np.ndarray, " rows"]
) -> Float[np.ndarray, " rows"]:
    """Weights under which each class holds half, as in calibration."""
    halves = 0.5 / weights[malicious].sum(), 0.5 / weights[~malicious].sum()
    return weights * np.where(malicious, *halves)


def curves(malicious: Bool[np.ndarray, " rows"], scores: Float[np.ndarray, " rows"]) -> Curves:
    """Points to draw of rows that all count alike; false-positive rates also on a logarithmic axis.

    The bins of reliability hold the mean score, the share of malice where both classes weigh alike,
    and the number of rows.
    """
    ranked = ranking(malicious, scores)
    found, flagged = _cumulated(ranked, np.ones(len(scores)))
    recall, rate = found / found[-1], flagged / flagged[-1]
    grid = np.concatenate([np.geomspace(1e-4, 1, MOST_POINTS // 2), np.linspace(0, 1, MOST_POINTS // 2 - 1)])
    on_roc = _nearest_below(rate, grid)
    on_recall = _nearest_below(recall, np.linspace(0, 1, MOST_POINTS))
    return Curves(
        roc=[(0.0, 0.0), *_points(rate[on_roc], recall[on_roc])],
        precision_recall=_points(recall[on_recall], (found / (found + flagged))[on_recall]),
        reliability=_reliability(ranked),
    )


def _nearest_below(
    rising: Float[np.ndarray, " distinct"], grid: Float[np.ndarray, " grid"]
) -> Int64[np.ndarray, " chosen"]:
    places = np.searchsorted(rising, np.sort(grid), side="right") - 1
    return np.unique(places.clip(min=0))


def _points(
    across: Float[np.ndarray, " points"], up: Float[np.ndarray, " points"]
) -> list[tuple[float, float]]:
    return [(round(float(x), 5), round(float(y), 5)) for x, y in zip(across, up, strict=True)]


def _reliability(ranked: Ranking) -> list[tuple[float, float, int]]:
    even = _even(ranked.malicious, np.ones(len(ranked.scores)))
    bins = _bins(ranked.scores)
    rows = np.bincount(bins, minlength=BINS)
    weight, said, true = (
        np.bincount(bins, even * values, minlength=BINS)
        for values in (np.ones(len(bins)), ranked.scores, ranked.malicious)
    )
    return [
        (
            round(float(said[place] / weight[place]), 5),
            round(float(true[place] / weight[place]), 5),
            int(rows[place]),
        )
        for place in np.flatnonzero(rows)
    ]
