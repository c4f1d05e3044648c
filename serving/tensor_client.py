"""One hop to a v2 model in another process: arrays out, arrays back, refusals with their meaning."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import grpc
import numpy as np
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
from contract.tensors import TensorSpec
from serving.deadline import Deadline
from serving.model import Parameter
from serving.raw_tensor import decode_raw, encode_raw
from serving.v2_message import parameters_of

# A peer's refusals keep their meaning across the hop; see Peer.bad_request for the one that is missing.
ERROR_OF_STATUS: Final[dict[grpc.StatusCode, type[RiskError]]] = {
    grpc.StatusCode.FAILED_PRECONDITION: FeatureSchemaMismatch,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Overloaded,
    grpc.StatusCode.UNAVAILABLE: PredictorUnavailable,
    grpc.StatusCode.NOT_FOUND: PredictorUnavailable,
    grpc.StatusCode.CANCELLED: PredictorUnavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
}

# Fail at once while the peer is away, and notice within a second that it is back.
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
class Peer:
    """A model in another process: what it is called in messages, where it is, what it takes and gives."""

    what: str
    host: str
    model_name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    # What a bad request is to our own caller: our fault, or his where his tensors are handed on as they came.
    bad_request: type[RiskError] = ScoringFailed


@dataclass(frozen=True, slots=True)
class Answered:
    """A peer's outputs by name, and what it says beside them."""

    outputs: dict[str, np.ndarray]
    parameters: dict[str, Parameter]


class TensorClient:
    """One channel to one model."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._channel: Any = None

    @cached_property
    def _stub(self) -> Any:
        # A channel belongs to the event loop that runs while it is made, and none does at the start.
        self._channel = grpc.aio.insecure_channel(_target(self._peer.host), options=CHANNEL_OPTIONS)
        return GRPCInferenceServiceStub(self._channel)

    async def infer(
        self,
        inputs: Mapping[str, np.ndarray],
        parameters: Mapping[str, str],
        deadline: Deadline,
        forward: Mapping[str, str],
    ) -> Answered:
        """Ask the model.

        Args:
            inputs: arrays by the names of the peer's declared inputs; optional ones may be absent.
            parameters: request parameters.
            deadline: passed on, so that the peer drops what nobody waits for.
            forward: metadata to hand on, such as traceparent.

        Raises:
            RiskError: the peer's refusal, with the status it gave; DeadlineExceeded also before asking;
                ScoringFailed for an answer that breaks the declaration.
        """
        deadline.check()
        limit_s = deadline.remaining_s()
        try:
            answer = await self._stub.ModelInfer(
                _request(self._peer, inputs, parameters),
                # gRPC takes infinity for a deadline long past.
                timeout=None if math.isinf(limit_s) else limit_s,
                metadata=tuple(forward.items()),
            )
        except grpc.aio.AioRpcError as error:
            raise self._translate(error) from None
        return read_answer(self._peer, answer)

    def _translate(self, error: grpc.aio.AioRpcError) -> RiskError:
        if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
            return self._peer.bad_request(error.details() or error.code().name)
        kind = ERROR_OF_STATUS.get(error.code(), ScoringFailed)
        if kind is PredictorUnavailable:
            return kind(f"the {self._peer.what} at {self._peer.host} does not answer; try again later")
        return kind(error.details() or error.code().name)

    async def ready(self) -> bool:
        """Whether the model can answer now."""
        request = pb.ModelReadyRequest(name=self._peer.model_name)
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


def _request(peer: Peer, inputs: Mapping[str, np.ndarray], parameters: Mapping[str, str]) -> Any:
    given = [spec for spec in peer.inputs if spec.required or spec.name in inputs]
    request = pb.ModelInferRequest(
        model_name=peer.model_name,
        inputs=[
            pb.ModelInferRequest.InferInputTensor(
                name=spec.name, datatype=spec.datatype, shape=inputs[spec.name].shape
            )
            for spec in given
        ],
        raw_input_contents=[encode_raw(spec, inputs[spec.name]) for spec in given],
    )
    for name, value in parameters.items():
        request.parameters[name].string_param = value
    return request


def read_answer(peer: Peer, answer: Any) -> Answered:
    """The declared outputs of an answer.

    Raises:
        ScoringFailed: outputs are missing or not as declared.
    """
    declared = {spec.name: spec for spec in peer.outputs}
    outputs: dict[str, np.ndarray] = {}
    for tensor, raw in zip(answer.outputs, answer.raw_output_contents, strict=False):
        if tensor.name in declared:
            outputs[tensor.name] = _decode(peer, declared[tensor.name], tensor, raw)
    missing = [name for name, spec in declared.items() if spec.required and name not in outputs]
    if missing:
        raise ScoringFailed(f"the {peer.what}'s answer has no {', '.join(missing)}")
    return Answered(outputs, _parameters(peer, answer))


def _decode(peer: Peer, spec: TensorSpec, tensor: Any, raw: bytes) -> np.ndarray:
    shape = tuple(tensor.shape)
    if tensor.datatype != spec.datatype or not spec.admits(shape):
        raise ScoringFailed(
            f"the {peer.what}'s {spec.name} is {tensor.datatype} of shape {list(shape)}, "
            f"not {spec.datatype} of shape {list(spec.shape)}"
        )
    try:
        return decode_raw(spec, shape, raw)
    except InvalidTensors:
        raise ScoringFailed(
            f"the {peer.what}'s {spec.name} holds {len(raw)} bytes, not shape {shape}"
        ) from None


def _parameters(peer: Peer, answer: Any) -> dict[str, Parameter]:
    try:
        return parameters_of(answer)
    except InvalidTensors as flaw:
        raise ScoringFailed(f"the {peer.what}'s answer is broken: {flaw}") from None
