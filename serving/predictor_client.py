"""The hop to the predictor: ego-graphs out, scores back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from jaxtyping import Float32

from contract.errors import ScoringFailed
from contract.feature_schema import FEATURE_SCHEMA
from contract.graphs import GRAPH_INPUTS, GRAPH_OUTPUTS, DomainGraphs
from contract.tensors import CATEGORY_SCORES, NAME_SCORE, NOT_SCORED, RISK_SCORE, SCHEMA_PARAMETER
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
        for name, scores in answer.outputs.items():
            _check_length(name, scores, graphs.graph_count)
        # NaN is over no threshold, so it would allow everything.
        for name, scores in answer.outputs.items():
            _check_probabilities(name, scores)
        categories, risk = (answer.outputs[spec.name] for spec in (CATEGORY_SCORES, RISK_SCORE))
        alone = answer.outputs.get(NAME_SCORE.name)
        return Scored(
            categories, risk, name_scores(graphs, risk) if alone is None else alone, answer.parameters
        )

    async def ready(self) -> bool:
        """Whether the predictor can score now."""
        return await self._client.ready()

    async def close(self) -> None:
        """Close the channel; calls under way are cancelled."""
        await self._client.close()


def name_scores(
    graphs: DomainGraphs, risk_score: Float32[np.ndarray, " graphs"]
) -> Float32[np.ndarray, " graphs"]:
    """What is known of names alone where a predictor of an older release does not say it.

    A name that hears no neighbour has no other risk; NOT_SCORED for the others, so that none is blocked.
    """
    heard = np.zeros(graphs.node_count, bool)
    heard[graphs.edge_index[1]] = True
    return np.where(heard[graphs.target_nodes], np.float32(NOT_SCORED), risk_score)


def _check_length(name: str, scores: np.ndarray, graphs: int) -> None:
    if len(scores) != graphs:
        wanted = (graphs, *scores.shape[1:])
        raise ScoringFailed(f"the predictor's {name} is of shape {scores.shape}, not shape {wanted}")


def _check_probabilities(name: str, scores: np.ndarray) -> None:
    within = (scores >= 0.0) & (scores <= 1.0 + _ROUNDING)
    if not within.all():
        raise ScoringFailed(f"the predictor's {name} is no probability: {scores[~within][0]}")
