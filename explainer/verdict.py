"""What is done about a score, and whether another score would have led to the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from contract.policy import Policy, actions


@dataclass(frozen=True, slots=True)
class Verdict:
    """An action, and the threshold that a score reached for it; to be allowed is to stay below one."""

    action: str
    threshold: float

    def holds(self, scores: Float[np.ndarray, " rows"]) -> Bool[np.ndarray, " rows"]:
        """Which scores lead to an action as severe as this one, or are allowed as this one is.

        >>> Verdict("monitor", 0.5).holds(np.array([0.4, 0.6, 0.99])).tolist()
        [False, True, True]
        """
        # As the transformer compares: in single precision.
        reached: Bool[np.ndarray, " rows"] = scores.astype(np.float32) >= np.float32(self.threshold)
        return ~reached if self.action == "allow" else reached


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores from which a name is monitored and from which it is blocked."""

    monitor: float
    block: float

    @classmethod
    def of(cls, policy: Policy, model_says: Mapping[str, object]) -> Thresholds:
        """The operator's where set, else the model's.

        Raises:
            ScoringFailed: neither has one.
        """
        return cls(*policy.resolve(model_says))

    def verdict(self, score: float) -> Verdict:
        """What is done about a score.

        >>> Thresholds(0.5, 0.9).verdict(0.7)
        Verdict(action='monitor', threshold=0.5)
        """
        action = actions(np.array([score], np.float32), self.monitor, self.block)[0].decode()
        # Blocking wins where the operator's threshold crosses the model's.
        threshold = {"allow": min(self.monitor, self.block), "monitor": self.monitor, "block": self.block}
        return Verdict(action, threshold[action])
