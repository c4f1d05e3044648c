"""Model "domain-features": the tensors that a name is scored by, for explainers and other models."""

from __future__ import annotations

import numpy as np

from contract.blockable import why_never_blocked
from contract.feature_schema import FEATURE_SCHEMA
from contract.graphs import FEATURE_OUTPUTS, no_graphs
from contract.policy import Policy
from contract.tensors import (
    BLOCK_PARAMETER,
    CLIENT_INPUTS,
    FEATURES_MODEL,
    GRAPH_ROWS,
    MONITOR_PARAMETER,
    NEVER_BLOCKED,
    NODE_LABELS,
    SCHEMA_PARAMETER,
    SNAPSHOT_PARAMETER,
    STATUS,
)
from serving.model import InferAnswer, InferCall, Parameter, RiskModel
from transformer.featurize import Featurized
from transformer.featurizer import Featurizer


class DomainFeatures(RiskModel):
    """Answers names with their ego-graphs, as the predictor would be sent them.

    Response parameters say which feature schema and graph snapshot the tensors are of, and the thresholds
    that this transformer's operator has set, so that others take the same actions.
    """

    platform = "dns-risk-transformer"

    def __init__(self, version: str, featurizer: Featurizer, policy: Policy) -> None:
        super().__init__(FEATURES_MODEL, version, CLIENT_INPUTS, FEATURE_OUTPUTS)
        self._featurizer = featurizer
        self._thresholds: dict[str, Parameter] = {
            name: value
            for name, value in ((MONITOR_PARAMETER, policy.monitor), (BLOCK_PARAMETER, policy.block))
            if value is not None
        }

    async def infer(self, call: InferCall) -> InferAnswer:
        """Cut the ego-graphs of a request's names.

        Raises:
            InvalidTensors: too many names, or not one entry of answers per name.
        """
        snapshot = self._featurizer.store.snapshot
        featurized = await self._featurizer.featurize(
            *self._featurizer.read(call.inputs), snapshot, labelled=True
        )
        graphs = featurized.graphs or no_graphs()
        outputs = graphs.tensors() | {
            GRAPH_ROWS.name: featurized.rows,
            NODE_LABELS.name: np.array(featurized.node_labels, object),
            NEVER_BLOCKED.name: _never_blocked(featurized),
            STATUS.name: np.array([status.encode() for status in featurized.statuses], object),
        }
        said: dict[str, Parameter] = {
            SCHEMA_PARAMETER: FEATURE_SCHEMA,
            SNAPSHOT_PARAMETER: snapshot.snapshot_id,
        }
        return InferAnswer(outputs, said | self._thresholds)


def _never_blocked(featurized: Featurized) -> np.ndarray:
    reasons = np.full(len(featurized.statuses), b"", object)
    reasons[featurized.rows] = [why_never_blocked(name).encode() for name in featurized.names]
    return reasons
