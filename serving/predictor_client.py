"""The hop to the predictor: ego-graphs out, scores back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from contract.errors import ScoringFailed
from contract.feature_schema import FEATURE_SCHEMA
from contract.graphs import GRAPH_INPUTS, GRAPH_OUTPUTS, DomainGraphs
from contract.tensors import CATEGORIES, SCHEMA_PARAMETER
from serving.deadline import Deadline
from serving.scored import Scored
from serving.tensor_client import Peer, TensorClient

# Four categories add up to one within float32.
_ROUNDING: Final = 1e-5


class PredictorClient:
    """One channel to the predictor's model."""

    def __init__(self, host: str, model_name: str) -> None:
        self._client = TensorClient(Peer("predictor", host, model_name, GRAPH_INPUTS, GRAPH_OUTPUTS))

    async def score(self, graphs: DomainGraphs, deadline: Deadline, forward: Mapping[str, str]) -> Scored:
        """Ask for the scores of a batch, with the hash of its feature schema.

        Raises:
            RiskError: as `TensorClient.infer`; ScoringFailed also for an answer of other lengths, and for
                scores that are no probabilities.
        """
        answer = await self._client.infer(
            graphs.tensors(), {SCHEMA_PARAMETER: FEATURE_SCHEMA}, deadline, forward
        )
        categories, risk = answer.outputs["category_scores"], answer.outputs["risk_score"]
        if categories.shape[0] != graphs.graph_count or risk.shape[0] != graphs.graph_count:
            raise ScoringFailed(
                f"the predictor's category_scores are of shape {categories.shape}, "
                f"not shape {(graphs.graph_count, len(CATEGORIES))}"
            )
        # NaN is over no threshold, so it would allow everything.
        for name, scores in answer.outputs.items():
            _check_probabilities(name, scores)
        return Scored(categories, risk, answer.parameters)

    async def ready(self) -> bool:
        """Whether the predictor can score now."""
        return await self._client.ready()

    async def close(self) -> None:
        """Close the channel; calls under way are cancelled."""
        await self._client.close()


def _check_probabilities(name: str, scores: np.ndarray) -> None:
    within = (scores >= 0.0) & (scores <= 1.0 + _ROUNDING)
    if not within.all():
        raise ScoringFailed(f"the predictor's {name} is no probability: {scores[~within][0]}")
