"""Requests of graphs for the predictor, in each of its protocols."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson
from tritonclient.grpc import service_pb2

from contract.feature_schema import FEATURE_SCHEMA
from contract.graphs import GRAPH_INPUTS, DomainGraphs, union
from contract.tensors import RISK_MODEL, SCHEMA_PARAMETER
from load_tests.generator.grpc_request import GrpcRequest, grpc_request
from load_tests.generator.http1_client import HttpRequest, http_request

INFER_PATH: Final = f"/v2/models/{RISK_MODEL}/infer"


def joined(graphs: list[DomainGraphs], size: int) -> list[DomainGraphs]:
    """Batches of so many graphs."""
    return [union(part) for part in _chunks(graphs, size)]


def _chunks(graphs: list[DomainGraphs], size: int) -> Iterator[list[DomainGraphs]]:
    for first in range(0, len(graphs), size):
        yield graphs[first : first + size]


def message_of(graphs: DomainGraphs) -> Any:
    """The v2 message of a batch, as the transformer sends it."""
    arrays = graphs.tensors()
    message = service_pb2.ModelInferRequest(model_name=RISK_MODEL)
    for spec in GRAPH_INPUTS:
        message.inputs.add(name=spec.name, datatype=spec.datatype, shape=arrays[spec.name].shape)
        message.raw_input_contents.append(arrays[spec.name].tobytes())
    message.parameters[SCHEMA_PARAMETER].string_param = FEATURE_SCHEMA
    return message


def grpc_of(graphs: DomainGraphs, target: str) -> GrpcRequest:
    """The gRPC request, whose answer must hold a score for every graph."""
    return grpc_request(message_of(graphs), target, graphs.graph_count)


def json_of(graphs: DomainGraphs, target: str) -> HttpRequest:
    """The v2 JSON request."""
    arrays = graphs.tensors()
    inputs = [
        {
            "name": spec.name,
            "datatype": spec.datatype,
            "shape": arrays[spec.name].shape,
            "data": arrays[spec.name].ravel().tolist(),
        }
        for spec in GRAPH_INPUTS
    ]
    body = orjson.dumps(_document(inputs))
    return http_request(target, INFER_PATH, body, {"content-type": "application/json"}, _rows(graphs))


def binary_of(graphs: DomainGraphs, target: str) -> HttpRequest:
    """The v2 request with its tensors in binary after the JSON; the answer is JSON."""
    arrays = graphs.tensors()
    raw = [arrays[spec.name].tobytes() for spec in GRAPH_INPUTS]
    inputs = [
        {
            "name": spec.name,
            "datatype": spec.datatype,
            "shape": arrays[spec.name].shape,
            "parameters": {"binary_data_size": len(tensor)},
        }
        for spec, tensor in zip(GRAPH_INPUTS, raw, strict=True)
    ]
    head = orjson.dumps(_document(inputs))
    headers = {
        "content-type": "application/octet-stream",
        "inference-header-content-length": str(len(head)),
    }
    return http_request(target, INFER_PATH, head + b"".join(raw), headers, _rows(graphs))


def _document(inputs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"inputs": inputs, "parameters": {SCHEMA_PARAMETER: FEATURE_SCHEMA}}


def _rows(graphs: DomainGraphs) -> bytes:
    return b'"shape":[%d]' % graphs.graph_count
