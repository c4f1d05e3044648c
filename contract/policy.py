"""From scores to what an operator does: category and action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from contract.errors import ScoringFailed
from contract.tensors import ACTIONS, BLOCK_PARAMETER, CATEGORIES, MONITOR_PARAMETER

_CATEGORY_BYTES = np.array([category.encode() for category in CATEGORIES], dtype=object)
_ACTION_BYTES = np.array([action.encode() for action in ACTIONS], dtype=object)


@dataclass(frozen=True, slots=True)
class Policy:
    """Scores from which a name is watched and from which it is blocked; None leaves it to the model."""

    monitor: float | None = None
    block: float | None = None

    def resolve(self, model_says: Mapping[str, object]) -> tuple[float, float]:
        """The thresholds to use for an answer whose parameters are `model_says`.

        Raises:
            ScoringFailed: the policy leaves a threshold to the model, and the model has none.
        """
        monitor = _threshold(self.monitor, model_says, MONITOR_PARAMETER)
        block = _threshold(self.block, model_says, BLOCK_PARAMETER)
        return monitor, block


def _threshold(own: float | None, model_says: Mapping[str, object], parameter: str) -> float:
    if own is not None:
        return own
    said = model_says.get(parameter)
    if not isinstance(said, int | float):
        raise ScoringFailed(f"the predictor's answer has no {parameter}, and no setting gives it")
    return float(said)


def actions(
    risk_score: Float32[np.ndarray, " names"],
    name_score: Float32[np.ndarray, " names"],
    monitor: float,
    block: float,
) -> np.ndarray:
    """What to do with each name, as bytes; blocking wins where thresholds cross.

    Blocked is what reaches that threshold by its name alone and with all that is known of it: others' records
    block nobody. What reaches it by one of the two is monitored: its own records take it one step.

    >>> risk, alone = np.array([[0.1, 0.6, 0.9, 0.9, 0.3], [0.1, 0.6, 0.9, 0.7, 0.9]], np.float32)
    >>> actions(risk, alone, 0.5, 0.8).tolist()
    [b'allow', b'monitor', b'block', b'monitor', b'monitor']
    """
    by_all, by_name = risk_score >= block, name_score >= block
    watched = (risk_score >= monitor) | by_all | by_name
    return np.asarray(_ACTION_BYTES[np.where(by_all & by_name, 2, np.where(watched, 1, 0))])


def categories(category_scores: Float32[np.ndarray, "names categories"]) -> np.ndarray:
    """The category of each name, as bytes: benign below even odds, else the likeliest kind of malice.

    Not the plain maximum, which would call a name benign at a risk of 0.6 that three kinds share.

    >>> categories(np.array([[0.6, 0.4, 0, 0], [0.4, 0.2, 0.1, 0.3]], np.float32)).tolist()
    [b'benign', b'phishing']
    """
    malicious = 1 + category_scores[:, 1:].argmax(axis=1)
    return np.asarray(_CATEGORY_BYTES[np.where(category_scores[:, 0] > 0.5, 0, malicious)])
