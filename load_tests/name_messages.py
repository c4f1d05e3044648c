"""Requests of domain names for the transformer, over gRPC and in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from tritonclient.grpc import service_pb2

from contract.tensors import DOMAIN, RISK_MODEL
from load_tests.generator.grpc_request import grpc_request
from load_tests.generator.http1_client import http_request
from load_tests.graph_messages import INFER_PATH
from serving.raw_tensor import bytes_array, encode_raw


def grpc_of_names(names: Sequence[str], target: str) -> Any:
    """The gRPC request, whose answer must hold a row for every name."""
    message = service_pb2.ModelInferRequest(model_name=RISK_MODEL)
    message.inputs.add(name=DOMAIN.name, datatype=DOMAIN.datatype, shape=[len(names)])
    texts = bytes_array([name.encode() for name in names], [len(names)])
    message.raw_input_contents.append(encode_raw(DOMAIN, texts))
    return grpc_request(message, target, len(names))


def json_of_names(names: Sequence[str], target: str) -> Any:
    """The v2 JSON request."""
    tensor = {"name": DOMAIN.name, "datatype": DOMAIN.datatype, "shape": [len(names)], "data": list(names)}
    rows = b'"shape":[%d]' % len(names)
    headers = {"content-type": "application/json"}
    return http_request(target, INFER_PATH, orjson.dumps({"inputs": [tensor]}), headers, rows)
