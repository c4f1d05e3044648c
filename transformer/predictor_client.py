"""The one hop to the predictor: ego-graphs out, scores back, over v2 gRPC."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import grpc
import numpy as np
from jaxtyping import Float32
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub

from contract.errors import (
    DeadlineExceeded,
    FeatureSchemaMismatch,
    InvalidTensors,
    Overloaded,
    PredictorUnavailable,
    RiskError,
    ScoringFailed,
)
from contract.feature_schema import FEATURE_SCHEMA
from contract.graphs import GRAPH_INPUTS, GRAPH_OUTPUTS, DomainGraphs
from contract.tensors import SCHEMA_PARAMETER
from serving.deadline import Deadline
from serving.model import Parameter, Parameters
from serving.v2_message import parameters_of

# The predictor's refusals keep their meaning across the hop. What it calls a bad request was built by
# us, so the client of the transformer must not be blamed for it.
ERROR_OF_STATUS: Final[dict[grpc.StatusCode, type[RiskError]]] = {
    grpc.StatusCode.FAILED_PRECONDITION: FeatureSchemaMismatch,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Overloaded,
    grpc.StatusCode.UNAVAILABLE: PredictorUnavailable,
    grpc.StatusCode.NOT_FOUND: PredictorUnavailable,
    grpc.StatusCode.CANCELLED: PredictorUnavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
}

# Fail at once while the predictor is away, and notice within a second that it is back.
CHANNEL_OPTIONS: Final = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.max_send_message_length", 64 * 1024 * 1024),
    ("grpc.lb_policy_name", "round_robin"),
)
READY_TIMEOUT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Scored:
    """The predictor's answer for G graphs, with what it says of itself."""

    category_scores: Float32[np.ndarray, "graphs categories"]
    risk_score: Float32[np.ndarray, " graphs"]
    parameters: Parameters


class PredictorClient:
    """One channel to the predictor's model."""

    def __init__(self, host: str, model_name: str) -> None:
        self._host = host
        self._model_name = model_name
        self._channel: Any = None

    @cached_property
    def _stub(self) -> Any:
        # A channel belongs to the event loop that runs while it is made, and none does at the start.
        self._channel = grpc.aio.insecure_channel(_target(self._host), options=CHANNEL_OPTIONS)
        return GRPCInferenceServiceStub(self._channel)

    async def score(self, graphs: DomainGraphs, deadline: Deadline, forward: Mapping[str, str]) -> Scored:
        """Ask for the scores of a batch.

        Args:
            graphs: the batch.
            deadline: passed on, so that the predictor drops what nobody waits for.
            forward: metadata to hand on, such as traceparent.

        Raises:
            RiskError: the predictor's refusal, with the status it gave; DeadlineExceeded also before asking.
        """
        deadline.check()
        limit_s = deadline.remaining_s()
        try:
            answer = await self._stub.ModelInfer(
                infer_request(self._model_name, graphs),
                # gRPC takes infinity for a deadline long past.
                timeout=None if math.isinf(limit_s) else limit_s,
                metadata=tuple(forward.items()),
            )
        except grpc.aio.AioRpcError as error:
            raise self._translate(error) from None
        return read_answer(answer, graphs.graph_count)

    def _translate(self, error: grpc.aio.AioRpcError) -> RiskError:
        kind = ERROR_OF_STATUS.get(error.code(), ScoringFailed)
        if kind is PredictorUnavailable:
            return kind(f"the predictor at {self._host} does not answer; try again later")
        return kind(error.details() or error.code().name)

    async def ready(self) -> bool:
        """Whether the predictor can score now."""
        request = pb.ModelReadyRequest(name=self._model_name)
        try:
            answer = await self._stub.ModelReady(request, timeout=READY_TIMEOUT_S)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.ready)

    async def close(self) -> None:
        """Close the channel; calls under way are cancelled."""
        if self._channel is not None:
            await self._channel.close()


def _target(host: str) -> str:
    # A bare name with a port is resolved by DNS into all its addresses, for round_robin to spread over.
    return host if "://" in host or ":///" in host else f"dns:///{host}"


def infer_request(model_name: str, graphs: DomainGraphs) -> pb.ModelInferRequest:
    """A batch as a v2 request with raw tensors and the hash of its feature schema."""
    arrays = graphs.tensors()
    request = pb.ModelInferRequest(
        model_name=model_name,
        inputs=[
            pb.ModelInferRequest.InferInputTensor(
                name=spec.name, datatype=spec.datatype, shape=arrays[spec.name].shape
            )
            for spec in GRAPH_INPUTS
        ],
        raw_input_contents=[arrays[spec.name].tobytes() for spec in GRAPH_INPUTS],
    )
    request.parameters[SCHEMA_PARAMETER].string_param = FEATURE_SCHEMA
    return request


def read_answer(answer: pb.ModelInferResponse, graphs: int) -> Scored:
    """The arrays of an answer, checked against the contract.

    Raises:
        ScoringFailed: tensors are missing or have another shape than the request asks for.
    """
    arrays: dict[str, np.ndarray] = {}
    for tensor, raw in zip(answer.outputs, answer.raw_output_contents, strict=False):
        spec = next((spec for spec in GRAPH_OUTPUTS if spec.name == tensor.name), None)
        if spec is not None:
            arrays[spec.name] = _decode(raw, spec.dtype, (graphs, *spec.shape[1:]), spec.name)
    missing = [spec.name for spec in GRAPH_OUTPUTS if spec.name not in arrays]
    if missing:
        raise ScoringFailed(f"the predictor's answer has no {', '.join(missing)}")
    return Scored(arrays["category_scores"], arrays["risk_score"], _parameters(answer))


def _decode(raw: bytes, dtype: np.dtype, shape: tuple[int, ...], name: str) -> np.ndarray:
    try:
        return np.frombuffer(raw, dtype).reshape(shape)
    except ValueError:
        raise ScoringFailed(f"the predictor's {name} holds {len(raw)} bytes, not shape {shape}") from None


def _parameters(answer: pb.ModelInferResponse) -> dict[str, Parameter]:
    try:
        return parameters_of(answer)
    except InvalidTensors as flaw:
        raise ScoringFailed(f"the predictor's answer is broken: {flaw}") from None
