"""What is said of a batch of graphs, by the predictor or in its place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from serving.model import Parameters


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores of G graphs, and what the model says of itself: its version and operating points.

    name_score: the risk by the name alone; NOT_SCORED where the model did not say it.
    """

    category_scores: Float32[np.ndarray, "graphs categories"]
    risk_score: Float32[np.ndarray, " graphs"]
    name_score: Float32[np.ndarray, " graphs"]
    parameters: Parameters
