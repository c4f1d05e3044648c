"""The predictor as a `RiskModel`: checks graphs, queues them, answers scores."""

from __future__ import annotations

from typing import Any, Final

from contract.errors import FeatureSchemaMismatch, InvalidTensors, RiskError
from contract.feature_schema import FEATURE_SCHEMA
from contract.graph_checks import from_tensors
from contract.graphs import GRAPH_INPUTS, GRAPH_OUTPUTS
from contract.tensors import BLOCK_PARAMETER, MODEL_VERSION_PARAMETER, MONITOR_PARAMETER, SCHEMA_PARAMETER
from predictor.batcher import Batcher
from predictor.checkpoint import ModelConfig
from predictor.packing import Size
from predictor.wire import AnswerWriter, GraphRequests, RawAnswer
from serving.metrics import BatcherMetrics
from serving.model import InferAnswer, InferCall, Parameter, Parameters, RawCall, RiskModel

PLATFORM: Final = "pytorch-geometric"


class RiskPredictor(RiskModel):
    """Scores the ego-graphs of a request, joined with those of others."""

    platform = PLATFORM
    engine = True
    takes_raw = True

    def __init__(self, name: str, config: ModelConfig, batcher: Batcher, messages: Any) -> None:
        super().__init__(name, config.version, GRAPH_INPUTS, GRAPH_OUTPUTS)
        self._batcher = batcher
        self._answer_parameters: dict[str, Parameter] = {
            MODEL_VERSION_PARAMETER: config.version,
            MONITOR_PARAMETER: config.operating_points.monitor,
            BLOCK_PARAMETER: config.operating_points.block,
        }
        self._requests = GraphRequests(self, {SCHEMA_PARAMETER: FEATURE_SCHEMA}, messages)
        self._answers = AnswerWriter(self, self._answer_parameters, messages)

    async def infer(self, call: InferCall) -> InferAnswer:
        """Score a request's graphs.

        Raises:
            FeatureSchemaMismatch: the sender computed other features.
            InvalidTensors, Overloaded, DeadlineExceeded, ScoringFailed: as the batcher says.
        """
        check_schema(call.parameters)
        scores = await self._batcher.submit(from_tensors(call.inputs), call.deadline)
        outputs = {spec.name: getattr(scores, spec.name) for spec in GRAPH_OUTPUTS}
        return InferAnswer(outputs, dict(self._answer_parameters))

    def take_raw(self, message: bytes, call: RawCall) -> bool:
        """Queue a request as the transformer writes it, without decoding it."""
        recognised = self._requests.recognise(message)
        if recognised is None:
            return False
        graphs, request_id = recognised
        try:
            self._batcher.enqueue(graphs, call.deadline, RawAnswer(call, request_id, self._answers))
        except RiskError as refusal:
            call.fail(refusal)
        return True

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

    def watch(self, batcher: Batcher) -> None:
        """Read the queue whenever it is scraped."""
        self._metrics.queue_depth.set_function(lambda: batcher.queued_requests)
        self._metrics.queue_graphs.set_function(lambda: batcher.queued_graphs)

    def left_queue(self, waited_s: float) -> None:
        self._metrics.queue_seconds.observe(waited_s)

    def dropped(self, reason: str) -> None:
        self._metrics.dropped.labels(reason).inc()

    def batch_done(self, size: Size, seconds: float) -> None:
        self._metrics.batch_graphs.observe(size.graphs)
        self._metrics.batch_nodes.observe(size.nodes)
        self._metrics.batch_edges.observe(size.edges)
        self._metrics.model_seconds.observe(seconds)
