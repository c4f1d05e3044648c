"""What is done about a score, and whether another score would have led to the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from contract.policy import Policy, actions

BY_NEIGHBOURS: Final = "not blocked for its neighbours"
# The risk with all that is known, and by the name alone.
Risks = Float[np.ndarray, "2 rows"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """An action, and the threshold that a score reached for it; to be allowed is to stay below one.

    by_name: it was the risk of the name alone that reached the threshold; the score itself is lower.
    spared: why the score would be blocked and is not: the name alone is not, or never is; empty otherwise.
    """

    action: str
    threshold: float
    by_name: bool = False
    spared: str = ""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores from which a name is monitored and from which it is blocked; never: why it may not be."""

    monitor: float
    block: float
    never: str = ""

    @classmethod
    def of(cls, policy: Policy, model_says: Mapping[str, object], never: str) -> Thresholds:
        """The operator's where set, else the model's; `never` as the transformer says it of the name.

        Raises:
            ScoringFailed: neither has one.
        """
        return cls(*policy.resolve(model_says), never)

    def verdict(self, score: float, name_score: float) -> Verdict:
        """What is done about a score, given that of the name alone.

        >>> Thresholds(0.5, 0.9).verdict(0.7, 0.6)
        Verdict(action='monitor', threshold=0.5, by_name=False, spared='')
        """
        action = self._actions(np.array([[score], [name_score]]))[0].decode()
        if action == "block":
            return Verdict(action, self.block)
        # Blocking wins where the operator's threshold crosses the model's.
        first = min(self.monitor, self.block)
        if action == "monitor" and np.float32(score) < np.float32(first):
            return Verdict(action, self.block, by_name=True)
        blocked = np.float32(score) >= np.float32(self.block)
        why = f"never blocked: {self.never}" if self.never else BY_NEIGHBOURS
        return Verdict(action, first, spared=why if blocked else "")

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
        found = actions(risk, alone, self.monitor, self.block)
        return np.where(found == b"block", b"monitor", found) if self.never else found
