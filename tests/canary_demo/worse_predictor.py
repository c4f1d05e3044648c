"""`python -m tests.canary_demo.worse_predictor`: the real predictor with a scorer that has a fault.

CANARY_FAULT is "slow", which adds SLOWER_S to each batch, or "failing", which raises on every third batch.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import predictor.__main__ as service
from contract.graphs import DomainGraphs
from predictor.scorer import Scorer, Ticket

SLOWER_S = 1.0


class SlowScorer(Scorer):
    """Answers the same, later."""

    def launch(self, batch: Sequence[DomainGraphs]) -> Ticket:
        time.sleep(SLOWER_S)
        return super().launch(batch)


class FailingScorer(Scorer):
    """Fails on every third batch, as a model does that cannot read some of its inputs."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._batches = itertools.count(1)

    def launch(self, batch: Sequence[DomainGraphs]) -> Ticket:
        if next(self._batches) % 3 == 0:
            raise FloatingPointError("scores are not finite")
        return super().launch(batch)


SCORERS = {"slow": SlowScorer, "failing": FailingScorer}

if __name__ == "__main__":
    service.Scorer = SCORERS[os.environ["CANARY_FAULT"]]  # type: ignore[misc]
    service.main(sys.argv[1:])
