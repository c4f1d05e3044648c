"""What validation rows decide: calibration of lone names and of names with evidence, and where to act."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from predictor.checkpoint import OperatingPoints
from predictor.model import RiskGnn
from training.calibration import operating_points, platt
from training.figures import expected_calibration_error, figures
from training.samples import risk_logits
from training.steps.featurize import Samples


@dataclass(frozen=True, slots=True)
class Chosen:
    """Calibration, thresholds, and the figures on the rows they were chosen by.

    Fields:
        calibration  scale and shift of the log-odds: row 0 of lone names, row 1 of names with evidence
    """

    calibration: Float[np.ndarray, "two two"]
    points: OperatingPoints
    metrics: dict[str, float]


def choose(model: RiskGnn, samples: Samples) -> Chosen:
    """Calibrate on validation rows, and take the operating points there."""
    names = samples.validation & samples.strong
    lone = risk_logits(model, samples.names.graphs)[names]
    category = samples.names.category[names]
    malicious = category != 0
    # Weights make both classes count the same: 50 % is not the natural rate, but stated. So do they each kind
    # of malice, whose shares of validation rows say which generators were set aside, and no more.
    scale, shift = platt(malicious, lone, _balance(malicious, category))
    held_out = samples.graph_split == "val"
    linked = risk_logits(model, samples.graph.graphs)[held_out]
    linked_malicious = samples.graph.category[held_out] != 0
    linked_scale, linked_shift = platt(linked_malicious, linked, _balance(linked_malicious, linked_malicious))
    risk = expit(scale * lone + shift)
    return Chosen(
        np.array([[scale, shift], [linked_scale, linked_shift]]),
        operating_points(malicious, risk),
        _metrics(malicious, risk, linked_malicious, linked),
    )


def _metrics(
    malicious: np.ndarray, risk: np.ndarray, linked_malicious: np.ndarray, linked: np.ndarray
) -> dict[str, float]:
    of_names, of_graph = figures(malicious, risk), figures(linked_malicious, linked)
    return {
        "validation_names_auc": of_names.auc,
        "validation_names_tpr_at_fpr_1pct": of_names.tpr_at_fpr_1pct,
        "validation_names_tpr_at_fpr_01pct": of_names.tpr_at_fpr_01pct,
        "validation_names_calibration_error": expected_calibration_error(malicious, risk),
        "validation_graph_auc": of_graph.auc,
    }


def _balance(malicious: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Weights by which half is benign, and the other half the same of each kind."""
    kinds, places = np.unique(kind[malicious], return_inverse=True)
    weight = np.full(len(malicious), 0.5 / (~malicious).mean())
    weight[malicious] = 0.5 * len(malicious) / len(kinds) / np.bincount(places)[places]
    return weight
