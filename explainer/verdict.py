"""What is done about a score, and whether another score would have led to the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from contract.policy import Policy, actions

# The risk with all that is known, and by the name alone.
Risks = Float[np.ndarray, "2 rows"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """An action, and the threshold that a score reached for it; to be allowed is to stay below one.

    by_name: it was the risk of the name alone that reached the threshold; the score itself is lower.
    spared: the score would be blocked, and is not, since the name alone is not.
    """

    action: str
    threshold: float
    by_name: bool = False
    spared: bool = False


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

    def verdict(self, score: float, name_score: float) -> Verdict:
        """What is done about a score, given that of the name alone.

        >>> Thresholds(0.5, 0.9).verdict(0.7, 0.6)
        Verdict(action='monitor', threshold=0.5, by_name=False, spared=False)
        """
        action = self._actions(np.array([[score], [name_score]]))[0].decode()
        if action == "block":
            return Verdict(action, self.block)
        # Blocking wins where the operator's threshold crosses the model's.
        first = min(self.monitor, self.block)
        if action == "monitor" and np.float32(score) < np.float32(first):
            return Verdict(action, self.block, by_name=True)
        return Verdict(action, first, spared=bool(np.float32(score) >= np.float32(self.block)))

    def keep(self, action: str, risks: Risks) -> Bool[np.ndarray, " rows"]:
        """Which rows lead to an action as severe as this one, or are allowed as this one is.

        >>> Thresholds(0.5, 0.9).keep("monitor", np.array([[0.4, 0.6, 0.99], [0.4, 0.6, 0.99]])).tolist()
        [False, True, True]
        """
        found = self._actions(risks)
        if action == "monitor":
            return np.asarray(found != b"allow")
        return np.asarray(found == action.encode())

    def _actions(self, risks: Risks) -> np.ndarray:
        # As the transformer compares: in single precision.
        risk, alone = risks.astype(np.float32)
        return actions(risk, alone, self.monitor, self.block)
