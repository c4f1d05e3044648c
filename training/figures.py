"""The figures a detector is judged by, at the operating points where it would be used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from sklearn.metrics import roc_auc_score

FPR_MONITOR = 0.01
FPR_BLOCK = 0.001


@dataclass(frozen=True, slots=True)
class Figures:
    """Ranking quality: area under ROC, and the share of malice found at two false-positive rates."""

    auc: float
    tpr_at_fpr_1pct: float
    tpr_at_fpr_01pct: float
    rows: int

    def __str__(self) -> str:
        return (
            f"AUC {self.auc:.4f}  TPR@FPR 1 % {self.tpr_at_fpr_1pct:.3f}  "
            f"TPR@FPR 0.1 % {self.tpr_at_fpr_01pct:.3f}  ({self.rows:,} rows)"
        )


def figures(malicious: Bool[np.ndarray, " rows"], scores: Float[np.ndarray, " rows"]) -> Figures:
    """The figures of scores against labels.

    >>> figures(np.array([False, False, True, True]), np.array([0.1, 0.4, 0.8, 0.9])).auc
    1.0
    """
    return Figures(
        float(roc_auc_score(malicious, scores)),
        tpr_at_fpr(malicious, scores, FPR_MONITOR),
        tpr_at_fpr(malicious, scores, FPR_BLOCK),
        len(scores),
    )


def threshold_at_fpr(
    malicious: Bool[np.ndarray, " rows"], scores: Float[np.ndarray, " rows"], fpr: float
) -> float:
    """The lowest score that at most this share of benign rows reaches, as a "from here on" threshold.

    >>> threshold_at_fpr(np.zeros(4, bool), np.array([0.1, 0.2, 0.3, 0.4]), 0.25) > 0.3
    True
    """
    benign = np.sort(scores[~malicious])[::-1]
    allowed = int(np.floor(fpr * len(benign)))
    # Just above the first benign row that must stay below.
    return float(np.nextafter(benign[min(allowed, len(benign) - 1)], np.inf))


def tpr_at_fpr(malicious: Bool[np.ndarray, " rows"], scores: Float[np.ndarray, " rows"], fpr: float) -> float:
    """The share of malicious rows at or above the threshold of this false-positive rate."""
    return float((scores[malicious] >= threshold_at_fpr(malicious, scores, fpr)).mean())


def best_accuracy_threshold(
    malicious: Bool[np.ndarray, " rows"], scores: Float[np.ndarray, " rows"]
) -> float:
    """The threshold that classifies most rows rightly; choose it on validation rows only."""
    order = np.argsort(scores)
    # Below the i-th row all is called benign, from it on malicious.
    found = malicious[order][::-1].cumsum()[::-1]
    right = np.concatenate([found, [0]]) + np.concatenate([[0], (~malicious[order]).cumsum()])
    bounds = np.concatenate([scores[order], [np.inf]])
    return float(bounds[int(np.argmax(right))])


def expected_calibration_error(
    malicious: Bool[np.ndarray, " rows"], scores: Float[np.ndarray, " rows"], bins: int = 15
) -> float:
    """Mean gap between score and share of malice over bins of equal width (Naeini 2015)."""
    bin_of_row = np.minimum((scores * bins).astype(int), bins - 1)
    counts = np.bincount(bin_of_row, minlength=bins)
    gaps = np.abs(
        np.bincount(bin_of_row, scores, minlength=bins) - np.bincount(bin_of_row, malicious, minlength=bins)
    )
    return float(gaps[counts > 0].sum() / len(scores))
