"""Transformer and predictor as a command asks them: one call after another, from outside an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import numpy as np
from tqdm import tqdm

from contract.graphs import DomainGraphs, union
from contract.tensors import DOMAIN, RISK_MODEL
from explainer.features import FeaturesClient
from explainer.scoring import check_version
from serving.deadline import Deadline
from serving.predictor_client import PredictorClient

NAMES_A_REQUEST: Final = 256
CALL_S: Final = 60.0


class Services:
    """Transformer and predictor, asked one call after another."""

    def __init__(self, runner: asyncio.Runner, transformer: str, predictor: str, model_version: str) -> None:
        self._run = runner.run
        self._features = FeaturesClient(transformer)
        self._predictor = PredictorClient(predictor, RISK_MODEL)
        self.model_version = model_version

    def graphs(self, names: Sequence[str]) -> tuple[DomainGraphs, np.ndarray]:
        """The ego-graphs of names, and which of the inputs were names."""
        graphs, rows = [], []
        for first in tqdm(range(0, len(names), NAMES_A_REQUEST), desc="features of names", disable=None):
            column = np.array([name.encode() for name in names[first : first + NAMES_A_REQUEST]], object)
            cut, kept = self._run(self._features.graphs({DOMAIN.name: column}, Deadline.after(CALL_S), {}))
            graphs.append(cut)
            rows.append(kept + first)
        return union(graphs), np.concatenate(rows)

    def risk(self, graphs: DomainGraphs) -> np.ndarray:
        """The risk scores of graphs.

        Raises:
            FeatureSchemaMismatch: the predictor serves another model version.
        """
        scored = self._run(self._predictor.score(graphs, Deadline.after(CALL_S), {}))
        check_version(scored.parameters, self.model_version)
        return scored.risk_score.astype(np.float64)

    def close(self) -> None:
        """Close both channels."""
        self._run(self._features.close())
        self._run(self._predictor.close())
