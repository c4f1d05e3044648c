"""Turn log-odds into probabilities that mean what they say, and choose where to act."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import minimize

from predictor.checkpoint import OperatingPoints
from training.figures import FPR_BLOCK, FPR_MONITOR, threshold_at_fpr


def platt(
    malicious: Bool[np.ndarray, " rows"],
    logits: Float[np.ndarray, " rows"],
    weight: Float[np.ndarray, " rows"],
) -> tuple[float, float]:
    """Scale and shift of the log-odds that make them most likely (Platt 1999).

    Args:
        malicious: labels of validation rows.
        logits: uncalibrated log-odds.
        weight: how much each row counts; sets the rate of malice the probabilities are for.
    """
    # Platt's own targets: without them, separable rows would push the scale to infinity.
    target = np.where(malicious, 1.0 - 1.0 / (malicious.sum() + 2.0), 1.0 / ((~malicious).sum() + 2.0))

    def loss(parameters: Float[np.ndarray, " two"]) -> float:
        calibrated = parameters[0] * logits + parameters[1]
        entropy = np.logaddexp(0.0, calibrated) - target * calibrated
        return float((weight * entropy).sum() / weight.sum())

    scale, shift = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead").x
    return float(scale), float(shift)


def operating_points(
    malicious: Bool[np.ndarray, " rows"], risk: Float[np.ndarray, " rows"]
) -> OperatingPoints:
    """Monitor at a false-positive rate of 1 %, block at 0.1 %, on validation rows."""
    return OperatingPoints(
        monitor=min(threshold_at_fpr(malicious, risk, FPR_MONITOR), 1.0),
        block=min(threshold_at_fpr(malicious, risk, FPR_BLOCK), 1.0),
    )
