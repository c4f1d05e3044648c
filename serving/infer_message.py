"""From a ModelInferRequest to its ModelInferResponse: what both gRPC fronts do around the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from kserve.protocol.grpc import grpc_predict_v2_pb2 as messages

from contract.errors import InvalidTensors
from serving.deadline import Deadline
from serving.model import InferCall, RiskModel
from serving.request_context import identify
from serving.tensor_contract import TensorContract
from serving.v2_message import decode_message, fill_response


def parse(raw: bytes) -> Any:
    """The message.

    Raises:
        InvalidTensors: the bytes are none.
    """
    try:
        return messages.ModelInferRequest.FromString(raw)
    except DecodeError:
        raise InvalidTensors("the bytes are no ModelInferRequest") from None


async def infer_message(
    model: RiskModel,
    contract: TensorContract,
    request: Any,
    forward: dict[str, str],
    deadline: Deadline,
    caller_gone: Callable[[], bool],
) -> Any:
    """The model's answer to a request for it.

    Raises:
        RiskError: the request breaks the contract, or what the model raises.
    """
    decoded = decode_message(request, contract)
    request_id = identify(decoded.request_id, forward)
    call = InferCall(decoded.inputs, decoded.parameters, request_id, deadline, forward, caller_gone)
    answer = await model.infer(call)
    response = messages.ModelInferResponse()
    fill_response(response, model, request_id, answer, decoded.outputs)
    return response
