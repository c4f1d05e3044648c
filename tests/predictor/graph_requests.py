"""Requests for the predictor in one form that goes out on either protocol, so that refusals can be compared."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import Any

import grpc
import httpx
import numpy as np
from tritonclient.grpc import service_pb2, service_pb2_grpc

from contract.feature_schema import FEATURE_SCHEMA
from contract.graphs import GRAPH_INPUTS, DomainGraphs
from contract.tensors import RISK_MODEL, SCHEMA_PARAMETER
from tests.serving.server_process import ServerProcess

INFER = f"/v2/models/{RISK_MODEL}/infer"
PATIENT_S = 30.0
_DTYPES = {spec.name: spec.dtype for spec in GRAPH_INPUTS}
# The documented pairs of contract.errors.
HTTP_OF_GRPC = {
    "INVALID_ARGUMENT": {400},
    "NOT_FOUND": {404},
    "FAILED_PRECONDITION": {409},
    "RESOURCE_EXHAUSTED": {413, 429},
    "CANCELLED": {499},
    "INTERNAL": {500},
    "UNAVAILABLE": {503},
    "DEADLINE_EXCEEDED": {504},
    "OK": {200},
}


@dataclass
class Tensor:
    """One tensor as it is declared and as it travels; the two need not agree."""

    name: str
    datatype: str
    shape: list[int]
    raw: bytes

    def elements(self) -> np.ndarray:
        """What the bytes hold, whatever datatype and shape are claimed."""
        return np.frombuffer(self.raw, _DTYPES.get(self.name, np.dtype("<f4")))


@dataclass
class GraphRequest:
    """A request by its tensors and parameters."""

    tensors: list[Tensor]
    parameters: dict[str, str | int | bool] = field(
        default_factory=lambda: {SCHEMA_PARAMETER: FEATURE_SCHEMA}
    )
    outputs: tuple[str, ...] = ()
    request_id: str = ""

    def __getitem__(self, name: str) -> Tensor:
        return next(tensor for tensor in self.tensors if tensor.name == name)

    def array(self, name: str) -> np.ndarray:
        """A writable copy of a tensor's elements."""
        return self[name].elements().reshape(self[name].shape).copy()

    def put(self, name: str, array: np.ndarray) -> None:
        """Replace a tensor's elements and shape, not its datatype."""
        self[name].shape, self[name].raw = list(array.shape), array.tobytes()

    def message(self) -> Any:
        """The request with raw contents for gRPC."""
        message = service_pb2.ModelInferRequest(model_name=RISK_MODEL, id=self.request_id)
        for tensor in self.tensors:
            message.inputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
            message.raw_input_contents.append(tensor.raw)
        for name, value in self.parameters.items():
            kinds = {str: "string_param", bool: "bool_param", int: "int64_param"}
            setattr(message.parameters[name], kinds[type(value)], value)
        for name in self.outputs:
            message.outputs.add(name=name)
        return message

    def binary(self) -> tuple[bytes, dict[str, str]]:
        """Body and headers with binary tensors for REST."""
        inputs = [
            {
                "name": tensor.name,
                "datatype": tensor.datatype,
                "shape": tensor.shape,
                "parameters": {"binary_data_size": len(tensor.raw)},
            }
            for tensor in self.tensors
        ]
        head = json.dumps(self._document(inputs)).encode()
        body = head + b"".join(tensor.raw for tensor in self.tensors)
        return body, {"inference-header-content-length": str(len(head))}

    def document(self) -> dict[str, Any]:
        """The request in JSON; the bytes of its tensors must be whole elements."""
        return self._document(
            [
                {
                    "name": tensor.name,
                    "datatype": tensor.datatype,
                    "shape": tensor.shape,
                    "data": tensor.elements().tolist(),
                }
                for tensor in self.tensors
            ]
        )

    def _document(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        document: dict[str, Any] = {"inputs": inputs, "parameters": self.parameters}
        if self.request_id:
            document["id"] = self.request_id
        if self.outputs:
            document["outputs"] = [{"name": name} for name in self.outputs]
        return document

    def copy(self) -> GraphRequest:
        """One to break while the other stays good."""
        return copy.deepcopy(self)


def request_for(graphs: DomainGraphs) -> GraphRequest:
    """A good request for the scores of these graphs."""
    arrays = graphs.tensors()
    return GraphRequest(
        [
            Tensor(
                spec.name,
                spec.datatype,
                list(arrays[spec.name].shape),
                np.ascontiguousarray(arrays[spec.name], spec.dtype).tobytes(),
            )
            for spec in GRAPH_INPUTS
        ]
    )


@dataclass
class Answer:
    """What came back: the gRPC status by name, the message of a refusal, the scores of a success."""

    code: str
    reason: str = ""
    category_scores: np.ndarray = field(default_factory=lambda: np.empty((0, 4), np.float32))
    risk_score: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))
    name_score: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))


class Client:
    """Asks one predictor on both protocols over connections that it keeps."""

    def __init__(self, server: ServerProcess) -> None:
        unlimited = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
        self._channel = grpc.insecure_channel(server.grpc_target, unlimited)
        self.stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)
        self.http = httpx.Client(base_url=server.rest_url, timeout=PATIENT_S)

    def close(self) -> None:
        """Close both connections."""
        self._channel.close()
        self.http.close()

    def grpc(self, message: Any, timeout_s: float = PATIENT_S) -> Answer:
        """The answer to a message."""
        try:
            response = self.stub.ModelInfer(message, timeout=timeout_s)
        except grpc.RpcError as error:
            return Answer(error.code().name, error.details())
        raw = {
            output.name: np.frombuffer(content, "<f4").reshape(output.shape)
            for output, content in zip(response.outputs, response.raw_output_contents, strict=True)
        }
        return Answer("OK", **raw)

    def code_of(self, raw: bytes) -> str:
        """The status of a call with these bytes in place of a message."""
        call = self._channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        try:
            call(raw, timeout=PATIENT_S)
        except grpc.RpcError as error:
            return str(error.code().name)
        return "OK"

    def rest(self, content: bytes, headers: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
        """Status and JSON of an answer."""
        answer = self.http.post(INFER, content=content, headers=headers or {})
        return answer.status_code, answer.json()


def rest_scores(document: dict[str, Any]) -> dict[str, np.ndarray]:
    """The outputs of a JSON answer as arrays."""
    return {
        output["name"]: np.array(output["data"], np.float32).reshape(output["shape"])
        for output in document["outputs"]
    }
