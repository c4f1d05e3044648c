"""Requests for the echo model, as JSON documents and as gRPC messages."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from tritonclient.grpc import service_pb2

INFER = "/v2/models/echo/infer"


def document(**changes: Any) -> dict[str, Any]:
    """A good v2 JSON request of two rows, with top-level changes."""
    inputs = [
        {"name": "values", "datatype": "FP32", "shape": [2, 2], "data": [1, 2.5, 3, 4]},
        {"name": "ids", "datatype": "INT64", "shape": [2], "data": [7, -8]},
        {"name": "names", "datatype": "BYTES", "shape": [2], "data": ["a", "é"]},
    ]
    return {"inputs": inputs} | changes


def with_input(name: str, /, **changes: Any) -> dict[str, Any]:
    """A good request in which one tensor is changed; a change to None removes the key."""
    request = document()
    for tensor in request["inputs"]:
        if tensor["name"] == name:
            tensor.update(changes)
            for key in [key for key, value in changes.items() if value is None]:
                del tensor[key]
    return request


def and_input(datatype: str, *data: Any, **changes: Any) -> dict[str, Any]:
    """A good request with an optional tensor of this datatype, named after it."""
    tensor = {"name": datatype.lower(), "datatype": datatype, "shape": [len(data)], "data": list(data)}
    return document(inputs=[*document()["inputs"], tensor | changes])


def strings(*values: bytes) -> bytes:
    """BYTES elements as they travel in raw contents."""
    return b"".join(struct.pack("<I", len(value)) + value for value in values)


RAW = {
    "values": np.array([1, 2.5, 3, 4], "<f4").tobytes(),
    "ids": np.array([7, -8], "<i8").tobytes(),
    "names": strings(b"a", b"\xff\x00"),
}


def message(**raw: bytes) -> Any:
    """A good ModelInferRequest of two rows with raw contents, some of them replaced."""
    request = service_pb2.ModelInferRequest(model_name="echo")
    shapes = {"values": ("FP32", [2, 2]), "ids": ("INT64", [2]), "names": ("BYTES", [2])}
    for name, (datatype, shape) in shapes.items():
        request.inputs.add(name=name, datatype=datatype, shape=shape)
        request.raw_input_contents.append((RAW | raw)[name])
    return request
