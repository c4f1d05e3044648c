"""The predictor as a `RiskModel`: checks graphs, queues them, answers scores."""

from __future__ import annotations

from typing import Final

from contract.errors import FeatureSchemaMismatch, InvalidTensors
from contract.feature_schema import FEATURE_SCHEMA
from contract.graph_checks import from_tensors
from contract.graphs import GRAPH_INPUTS, GRAPH_OUTPUTS
from contract.tensors import BLOCK_PARAMETER, MODEL_VERSION_PARAMETER, MONITOR_PARAMETER, SCHEMA_PARAMETER
from predictor.batcher import Batcher
from predictor.checkpoint import ModelConfig
from predictor.packing import Size
from serving.metrics import BatcherMetrics
from serving.model import InferAnswer, InferCall, Parameter, Parameters, RiskModel

PLATFORM: Final = "pytorch-geometric"


class RiskPredictor(RiskModel):
    """Scores the ego-graphs of a request, joined with those of others."""

    platform = PLATFORM
    engine = True

    def __init__(self, name: str, config: ModelConfig, batcher: Batcher) -> None:
        super().__init__(name, config.version, GRAPH_INPUTS, GRAPH_OUTPUTS)
        self._batcher = batcher
        self._answer_parameters: dict[str, Parameter] = {
            MODEL_VERSION_PARAMETER: config.version,
            MONITOR_PARAMETER: config.operating_points.monitor,
            BLOCK_PARAMETER: config.operating_points.block,
        }

    async def infer(self, call: InferCall) -> InferAnswer:
        """Score a request's graphs.

        Raises:
            FeatureSchemaMismatch: the sender computed other features.
            InvalidTensors, Overloaded, DeadlineExceeded, ScoringFailed: as the batcher says.
        """
        check_schema(call.parameters)
        scores = await self._batcher.submit(from_tensors(call.inputs), call.deadline)
        outputs = {"category_scores": scores.category_scores, "risk_score": scores.risk_score}
        return InferAnswer(outputs, dict(self._answer_parameters))

    async def ready(self) -> bool:
        return self._batcher.is_open

    async def start_engine(self) -> None:
        await self._batcher.run()

    async def stop(self) -> None:
        self._batcher.close()


def check_schema(parameters: Parameters) -> None:
    """Refuse features that this model was not trained on.

    Raises:
        InvalidTensors: the request does not say which features it holds.
        FeatureSchemaMismatch: it holds others.
    """
    sent = parameters.get(SCHEMA_PARAMETER)
    if sent is None:
        raise InvalidTensors(f"parameter {SCHEMA_PARAMETER!r}: expected {FEATURE_SCHEMA!r}, got none")
    if sent != FEATURE_SCHEMA:
        raise FeatureSchemaMismatch(
            f"the request's features are of schema {sent!r}, this model was trained on {FEATURE_SCHEMA!r}: "
            "roll out transformer and predictor of the same release"
        )


class BatchMeter:
    """Reports the batcher to Prometheus."""

    def __init__(self, metrics: BatcherMetrics) -> None:
        self._metrics = metrics

    def queue_changed(self, requests: int, graphs: int) -> None:
        self._metrics.queue_depth.set(requests)
        self._metrics.queue_graphs.set(graphs)

    def left_queue(self, waited_s: float) -> None:
        self._metrics.queue_seconds.observe(waited_s)

    def dropped(self, reason: str) -> None:
        self._metrics.dropped.labels(reason).inc()

    def batch_done(self, size: Size, seconds: float) -> None:
        self._metrics.batch_graphs.observe(size.graphs)
        self._metrics.batch_nodes.observe(size.nodes)
        self._metrics.batch_edges.observe(size.edges)
        self._metrics.model_seconds.observe(seconds)
